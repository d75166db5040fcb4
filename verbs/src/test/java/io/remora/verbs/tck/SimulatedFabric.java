package io.remora.verbs.tck;

import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.verbs.Provider;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Two simulated machines with a loop each: a seed decides everything. */
public final class SimulatedFabric implements Fabric {
  private static final long LIMIT_NS = 100_000_000_000L;
  private final Provider provider;
  private final String device;
  private final Simulation simulation;
  private final List<SimMachine> machines;
  private final List<SimLoop> loops;

  /** With that seed. */
  public SimulatedFabric(Provider provider, String device, long seed) {
    this.provider = provider;
    this.device = device;
    this.simulation = new Simulation(seed);
    this.machines = List.of(simulation.machine("one"), simulation.machine("other"));
    this.loops = machines.stream().map(machine -> machine.start(1).getFirst()).toList();
  }

  /** What decides. */
  public Simulation simulation() {
    return simulation;
  }

  /** The machine of end {@code end}. */
  public SimMachine machine(int end) {
    return machines.get(end);
  }

  @Override
  public Provider provider() {
    return provider;
  }

  @Override
  public String device(int end) {
    return device;
  }

  @Override
  public Loop loop(int end) {
    return loops.get(end);
  }

  @Override
  public InetSocketAddress address(int end) {
    return new InetSocketAddress(machines.get(end).address(), 0);
  }

  @Override
  public <T> T on(int end, Supplier<T> task) {
    AtomicReference<T> result = new AtomicReference<>();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    boolean[] done = new boolean[1];
    loop(end).execute(() -> {
      try {
        result.set(task.get());
      } catch (RuntimeException | AssertionError e) {
        failure.set(e);
      }
      done[0] = true;
    });
    simulation.runUntil(() -> done[0], LIMIT_NS);
    if (failure.get() instanceof RuntimeException e) {
      throw e;
    }
    if (failure.get() instanceof Error e) {
      throw e;
    }
    return Objects.requireNonNull(result.get());
  }

  @Override
  public void await(int end, String what, BooleanSupplier condition) {
    long giveUp = simulation.nowNs() + LIMIT_NS;
    while (!on(end, condition::getAsBoolean)) {
      if (simulation.nowNs() > giveUp) {
        throw new AssertionError("waited in vain for " + what + ", seed " + simulation.seed());
      }
      simulation.runFor(1000);
    }
  }

  @Override
  public void settle() {
    simulation.runFor(1_000_000_000L);
  }

  @Override
  public void close() {
    simulation.close();
  }
}
