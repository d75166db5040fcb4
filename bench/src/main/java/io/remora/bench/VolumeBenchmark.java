package io.remora.bench;

import io.remora.base.IoRequest;
import io.remora.base.Loops;
import io.remora.block.pool.Pool;
import io.remora.block.pool.PoolConfig;
import io.remora.block.pool.Volume;
import io.remora.block.pool.VolumeSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

/**
 * A pool's volume on a file: from the pool's loop, from another one, from both at once; and what it would cost if the pool's loop did
 * all I/O (docs/adr/0004). Time is per request, of all loops together. The file is in {@code remora.bench.folder}, by default in memory
 * ({@code /dev/shm}): what is compared is our own work.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"})
public class VolumeBenchmark {
  /** Which loop does the I/O. */
  public enum From {
    POOLS_LOOP,
    OTHER_LOOP,
    BOTH_LOOPS,
    /** Another one, which hands each request over to the pool's. */
    HANDED_OVER
  }

  @Param({"READ", "WRITE"})
  IoRequest.Op op = IoRequest.Op.READ;

  @Param({"1", "32"})
  int depth = 1;

  @Param
  From from = From.POOLS_LOOP;

  private final OnLoop owner = new OnLoop(Loops.Config.of("pool", 1));
  private final OnLoop other = new OnLoop(Loops.Config.of("other", 1));
  private @Nullable Path folder;
  private @Nullable DeviceLoad load;
  private @Nullable DeviceLoad second;

  @Setup
  public void open() throws IOException {
    Path disks = Files.createTempDirectory(Path.of(System.getProperty("remora.bench.folder", "/dev/shm")), "volume");
    folder = disks;
    PoolConfig config = new PoolConfig("bench", new UUID(1, 2),
        List.of(new PoolConfig.DiskSpec(disks.resolve("disk"), 2 * DeviceLoad.RANGE_BYTES)), 1 << 20, false);
    Pool pool = owner.make(() -> Pool.create(owner.loop(), config)).join();
    Volume volume = owner.make(
        () -> pool.createVolume(VolumeSpec.thin("v", new UUID(1, 3), DeviceLoad.RANGE_BYTES))).join();
    DeviceLoad.fill(owner, volume);
    load = switch (from) {
      case POOLS_LOOP, BOTH_LOOPS -> new DeviceLoad(owner, volume, op, 4096, depth);
      case OTHER_LOOP -> new DeviceLoad(other, volume, op, 4096, depth);
      case HANDED_OVER -> new DeviceLoad(other, owner, volume, op, 4096, depth);
    };
    second = from == From.BOTH_LOOPS ? new DeviceLoad(other, volume, op, 4096, depth) : null;
  }

  @TearDown
  public void close() throws IOException {
    owner.close();
    other.close();
    Path disks = Objects.requireNonNull(folder);
    Files.deleteIfExists(disks.resolve("disk"));
    Files.deleteIfExists(disks);
  }

  @Benchmark
  @OperationsPerInvocation(DeviceLoad.BATCH)
  public void fourKib() {
    DeviceLoad first = Objects.requireNonNull(load);
    DeviceLoad also = second;
    if (also == null) {
      first.run();
    } else {
      DeviceLoad.runBoth(first, also);
    }
  }
}
