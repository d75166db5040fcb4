package io.remora.bench;

import io.remora.base.Loop;
import io.remora.base.Loops;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * A real loop for benchmarks. The benchmark's thread hands it a batch of work and sleeps until the batch says it is done; everything that is
 * measured happens on the loop.
 */
final class OnLoop implements AutoCloseable {
  private final Loops loops;
  private final Loop loop;
  private final Semaphore done = new Semaphore(0);

  /** Starts one loop that never sleeps, so that what is measured is work and not waking up. */
  static OnLoop spinning(String name) {
    return new OnLoop(new Loops.Config(name, 1, Loops.Backend.AUTO, Long.MAX_VALUE, List.of()));
  }

  /** Starts one loop. */
  OnLoop(Loops.Config config) {
    loops = Loops.start(config);
    loop = loops.get(0);
  }

  Loop loop() {
    return loop;
  }

  /** Runs {@code batch} on the loop and returns after {@link #done}. */
  void run(Runnable batch) {
    begin(batch);
    end();
  }

  /** Runs {@code batch} on the loop. */
  void begin(Runnable batch) {
    loop.execute(batch);
  }

  /** Returns after {@link #done}. */
  void end() {
    done.acquireUninterruptibly();
  }

  /** The batch is through; on the loop. */
  void done() {
    done.release();
  }

  /** Makes something on the loop. */
  <T> T make(Supplier<T> maker) {
    CompletableFuture<T> made = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        made.complete(maker.get());
      } catch (RuntimeException e) {
        made.completeExceptionally(e);
      }
    });
    return made.join();
  }

  @Override
  public void close() {
    loops.close();
  }
}
