package io.remora.bench;

import io.remora.base.Timer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a turn of the loop costs: deferred work, timers, tasks from another thread. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"})
public class LoopBenchmark {
  private static final int BATCH = 10_000;
  private static final long FAR_NS = 1_000_000_000L;

  private final OnLoop loop = OnLoop.spinning("turns");
  private final Timer fired = loop.make(() -> loop.loop().timer(this::onFired));
  private final Timer[] timeouts = new Timer[64];
  private final Runnable deferAgain = this::deferAgain;
  private final Runnable beginDefer = this::beginDefer;
  private final Runnable beginFire = this::beginFire;
  private final Runnable moveTimeouts = this::moveTimeouts;
  private final Runnable nothing = loop::done;
  private int left;

  public LoopBenchmark() {
    loop.make(() -> {
      for (int i = 0; i < timeouts.length; i++) {
        timeouts[i] = loop.loop().timer(() -> {});
      }
      return true;
    });
  }

  @TearDown
  public void close() {
    loop.close();
  }

  /** A deferred task that defers itself. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void defer() {
    loop.run(beginDefer);
  }

  /** A timer that is due at once and arms itself: a whole turn of the loop each. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void timerFires() {
    loop.run(beginFire);
  }

  /** A time-out among 64 that is moved and does not fire: what every I/O does. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void timerMoves() {
    loop.run(moveTimeouts);
  }

  /** From another thread to the loop and back. */
  @Benchmark
  public void execute() {
    loop.run(nothing);
  }

  private void beginDefer() {
    left = BATCH;
    loop.loop().defer(deferAgain);
  }

  private void deferAgain() {
    if (--left == 0) {
      loop.done();
    } else {
      loop.loop().defer(deferAgain);
    }
  }

  private void beginFire() {
    left = BATCH;
    fired.arm(0);
  }

  private void onFired() {
    if (--left == 0) {
      loop.done();
    } else {
      fired.arm(0);
    }
  }

  private void moveTimeouts() {
    for (int i = 0; i < BATCH; i++) {
      timeouts[i & 63].arm(FAR_NS + i);
    }
    for (Timer timeout : timeouts) {
      timeout.cancel();
    }
    loop.done();
  }
}
