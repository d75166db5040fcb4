package io.remora.base;

import io.remora.base.Loops.Backend;
import io.remora.base.sim.Seeds;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * Two loops to hold against their contract, simulated or real: a test that takes its ground from {@link #all} says what both
 * have in common.
 */
public interface Ground extends AutoCloseable {
  /** How to lay one; the argument is a folder that real files may go to. */
  record Kind(String name, Function<Path, Ground> lay) {
    @Override
    public String toString() {
      return name;
    }
  }

  /** Every kind of ground there is here. */
  static Stream<Kind> all() {
    Stream<Kind> simulated = Arrays.stream(Seeds.of(5))
        .mapToObj(seed -> new Kind("simulated with seed " + seed, folder -> new Simulated(seed)));
    Stream<Kind> real = Arrays.stream(Backend.values())
        .map(backend -> new Kind("real with " + backend, folder -> new Real(backend, folder)));
    return Stream.concat(simulated, real);
  }

  /** Loop 0 or 1. */
  Loop loop(int index);

  /** Runs {@code body} on {@code loop} and returns what it returns; what it throws comes out. */
  <T> T call(Loop loop, Supplier<T> body);

  /** Lets things happen until {@code future} is done. */
  <T> T await(CompletableFuture<T> future);

  /** Where files may go. */
  Path folder();

  @Override
  void close();

  /** Runs {@code body} on {@code loop}. */
  default void run(Loop loop, Runnable body) {
    call(loop, () -> {
      body.run();
      return 0;
    });
  }

  /** Lets things happen until {@code condition}, which is asked on {@code loop} again and again, holds. */
  default void until(Loop loop, String what, BooleanSupplier condition) {
    CompletableFuture<Boolean> holds = new CompletableFuture<>();
    Timer[] again = new Timer[1];
    run(loop, () -> {
      again[0] = loop.timer(() -> {
        try {
          if (condition.getAsBoolean()) {
            holds.complete(true);
          } else if (!holds.isDone()) {
            again[0].arm(100_000);
          }
        } catch (Throwable e) {
          holds.completeExceptionally(e);
        }
      });
      again[0].arm(0);
    });
    try {
      await(holds);
    } catch (CompletionException e) {
      throw new AssertionError("while waiting for " + what, e.getCause());
    }
  }

  /** One machine of a simulation. */
  final class Simulated implements Ground {
    private static final long LIMIT_NS = 600_000_000_000L;

    private final Simulation simulation;
    private final SimMachine machine;

    Simulated(long seed) {
      simulation = new Simulation(seed);
      machine = simulation.machine("a");
      machine.start(2);
    }

    @Override
    public Loop loop(int index) {
      return machine.loop(index);
    }

    @Override
    public <T> T call(Loop loop, Supplier<T> body) {
      return (loop.equals(machine.loop(0)) ? machine.loop(0) : machine.loop(1)).call(body);
    }

    @Override
    public <T> T await(CompletableFuture<T> future) {
      simulation.runUntil(future::isDone, LIMIT_NS);
      return future.join();
    }

    @Override
    public Path folder() {
      return Path.of("/data");
    }

    @Override
    public void close() {}
  }

  /** Two loops of this process. */
  final class Real implements Ground {
    private final Loops loops;
    private final Path folder;

    /** Two loops over {@code backend}. */
    public Real(Backend backend, Path folder) {
      this.folder = folder;
      this.loops = start(backend);
    }

    @Override
    public Loop loop(int index) {
      return loops.get(index);
    }

    @Override
    public <T> T call(Loop loop, Supplier<T> body) {
      CompletableFuture<T> done = new CompletableFuture<>();
      loop.execute(() -> {
        try {
          done.complete(body.get());
        } catch (Throwable e) {
          done.completeExceptionally(e);
        }
      });
      try {
        return await(done);
      } catch (java.util.concurrent.CompletionException e) {
        switch (e.getCause()) {
          case RuntimeException cause -> throw cause;
          case Error cause -> throw cause;
          case null, default -> throw e;
        }
      }
    }

    @Override
    public <T> T await(CompletableFuture<T> future) {
      return future.orTimeout(60, TimeUnit.SECONDS).join();
    }

    @Override
    public Path folder() {
      return folder;
    }

    @Override
    public void close() {
      loops.close();
    }

    private static Loops start(Backend backend) {
      try {
        return Loops.start(new Loops.Config("ground", 2, backend, 0, List.of()));
      } catch (RemoraException e) {
        Assumptions.abort(backend + ": " + e.getMessage());
        throw e;
      }
    }
  }
}
