package io.remora.cli.load;

import io.remora.base.Loop;
import io.remora.base.Loops;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How far apart two processors are now: the round trip of a cache line between a thread on each. Virtual processors move, and everything
 * that crosses them changes its speed with it.
 */
public final class PingPong implements AutoCloseable {
  private static final long DURATION_NS = 50_000_000;
  private static final int ROUNDS_PER_LOOK = 256;
  private static final long STOP = -1;

  private final Loops loops;

  /** Between those two processors, which this process may use. */
  public PingPong(int firstCore, int secondCore) {
    loops = Loops.start(new Loops.Config("pingpong", 2, Loops.Backend.EPOLL, 0, List.of(firstCore, secondCore)));
  }

  /** Plays for 50 ms; returns the time of one round trip in nanoseconds. */
  public double roundTripNs() {
    AtomicLong ball = new AtomicLong();
    CompletableFuture<Double> result = new CompletableFuture<>();
    CompletableFuture<Boolean> ended = new CompletableFuture<>();
    loops.get(1).execute(() -> {
      answer(ball);
      ended.complete(true);
    });
    loops.get(0).execute(() -> result.complete(serve(loops.get(0), ball)));
    ended.orTimeout(20, TimeUnit.SECONDS).join();
    return result.join();
  }

  /** Even numbers are on their way out, odd ones on their way back. */
  private static double serve(Loop loop, AtomicLong ball) {
    long ballNow = 0;
    long rounds = 0;
    long begin = loop.clock().nanoTime();
    long elapsed = 0;
    while (elapsed < DURATION_NS) {
      for (int i = 0; i < ROUNDS_PER_LOOK; i++) {
        ball.setRelease(ballNow + 2);
        while (ball.getAcquire() != ballNow + 3) {
          Thread.onSpinWait();
        }
        ballNow += 2;
      }
      rounds += ROUNDS_PER_LOOK;
      elapsed = loop.clock().nanoTime() - begin;
    }
    ball.setRelease(STOP);
    return (double) elapsed / rounds;
  }

  private static void answer(AtomicLong ball) {
    long seen = 0;
    while (true) {
      long now = ball.getAcquire();
      if (now == STOP) {
        return;
      }
      if (now != seen && (now & 1) == 0) {
        seen = now + 1;
        ball.setRelease(seen);
      } else {
        Thread.onSpinWait();
      }
    }
  }

  @Override
  public void close() {
    loops.close();
  }
}
