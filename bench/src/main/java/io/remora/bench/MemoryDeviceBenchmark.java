package io.remora.bench;

import io.remora.base.IoRequest;
import io.remora.block.MemoryDevice;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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

/** Submission and completion on the memory device: the floor under every other device. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"})
public class MemoryDeviceBenchmark {
  @Param({"READ", "WRITE"})
  IoRequest.Op op = IoRequest.Op.READ;

  @Param({"1", "32"})
  int depth = 1;

  private final OnLoop loop = OnLoop.spinning("memory");
  private @Nullable DeviceLoad load;

  @Setup
  public void open() {
    MemoryDevice device = new MemoryDevice("memory", new UUID(1, 2), DeviceLoad.RANGE_BYTES, 512);
    DeviceLoad.fill(loop, device);
    load = new DeviceLoad(loop, device, op, 4096, depth);
  }

  @TearDown
  public void close() {
    loop.close();
  }

  @Benchmark
  @OperationsPerInvocation(DeviceLoad.BATCH)
  public void fourKib() {
    Objects.requireNonNull(load).run();
  }
}
