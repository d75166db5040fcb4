package io.remora.bench;

import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Taking I/O memory and giving it back: one buffer at a time, and 32 at once. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"})
public class BufferPoolBenchmark {
  private static final int MANY = 32;

  @Param({"4096", "131072"})
  int bytes = 4096;

  private final OnLoop loop = OnLoop.spinning("buffers");
  private final BufferPool pool = new BufferPool(loop.loop(), BufferPool.DEFAULT_ARENA_BYTES, 64 << 20);
  private final BufferPool.Owner owner = pool.owner("benchmark", 64 << 20);
  private final Buffer[] taken = new Buffer[MANY];
  private final Runnable oneByOne = this::takeOneByOne;
  private final Runnable manyAtOnce = this::takeManyAtOnce;

  @Setup
  public void warm() {
    loop.run(manyAtOnce);
  }

  @TearDown
  public void close() {
    loop.close();
  }

  @Benchmark
  @OperationsPerInvocation(1024 * MANY)
  public void oneAtATime() {
    loop.run(oneByOne);
  }

  @Benchmark
  @OperationsPerInvocation(1024 * MANY)
  public void manyAtOnce() {
    loop.run(manyAtOnce);
  }

  private void takeOneByOne() {
    for (int i = 0; i < 1024 * MANY; i++) {
      Objects.requireNonNull(pool.take(owner, bytes)).release();
    }
    loop.done();
  }

  private void takeManyAtOnce() {
    for (int round = 0; round < 1024; round++) {
      for (int i = 0; i < MANY; i++) {
        taken[i] = Objects.requireNonNull(pool.take(owner, bytes));
      }
      for (Buffer buffer : taken) {
        buffer.release();
      }
    }
    loop.done();
  }
}
