package io.remora.bench;

import io.remora.base.IoRequest;
import io.remora.base.Loops;
import io.remora.block.MemoryDevice;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.HostTcp;
import io.remora.nvme.tcp.TcpTarget;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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

/** The whole way: our host, NVMe/TCP over loopback, our target, the memory device, and back; a loop for each end. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"})
public class TargetBenchmark {
  private static final String NQN = "nqn.2026-01.io.remora.bench:memory";

  @Param({"READ", "WRITE"})
  IoRequest.Op op = IoRequest.Op.READ;

  @Param({"1", "32"})
  int depth = 1;

  @Param({"false", "true"})
  boolean digests = false;

  private final Loops targetLoops = Loops.start(Loops.Config.of("target", 1));
  private final OnLoop host = new OnLoop(Loops.Config.of("host", 1));
  private @Nullable HostController controller;
  private @Nullable DeviceLoad load;

  @Setup
  public void connect() {
    Target target = new Target(TargetConfig.DEFAULT);
    Subsystem subsystem = target.addSubsystem(Subsystem.Config.of(NQN));
    subsystem.addNamespace(1, new MemoryDevice("memory", new UUID(1, 2), DeviceLoad.RANGE_BYTES, 512));
    subsystem.allowAnyHost(true);
    TargetListener listener = TcpTarget
        .listen(targetLoops.all(), new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), target).join();
    HostOptions options = HostOptions.of(listener.localAddress(), NQN).withDigests(digests, digests);
    HostController connected = HostController.connect(new HostTcp(), List.of(host.loop()), options).join();
    controller = connected;
    DeviceLoad.fill(host, connected.namespaces().getFirst());
    load = new DeviceLoad(host, connected.namespaces().getFirst(), op, 4096, depth);
  }

  @TearDown
  public void close() {
    Objects.requireNonNull(controller).close().join();
    host.close();
    targetLoops.close();
  }

  @Benchmark
  @OperationsPerInvocation(DeviceLoad.BATCH)
  public void fourKib() {
    Objects.requireNonNull(load).run();
  }
}
