package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.block.BlockDevice;
import io.remora.nvme.rdma.HostRdma;
import io.remora.nvme.rdma.HostRdmaOptions;
import io.remora.nvme.rdma.RdmaTarget;
import io.remora.nvme.rdma.RdmaTargetOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.HostTcp;
import io.remora.nvme.tcp.TcpTarget;
import io.remora.verbs.Provider;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Our target and our host on real loops of this process, over the loopback interface. Owned by the test's thread. */
final class LoopsWorld implements AutoCloseable {
  static final String NQN = "nqn.2024-01.test:loops";
  private static final long LIMIT_SECONDS = 60;

  final Loops targetLoops;
  final Loops hostLoops;
  final Target target = new Target(TargetConfig.DEFAULT);
  final TargetListener listener;
  final HostController controller;

  LoopsWorld(Loops.Backend backend, int loops, BlockDevice device, UnaryOperator<HostOptions> change) {
    this(backend, loops, device, change, null);
  }

  /** Over RDMA with devices of {@code provider}, when there is one. */
  LoopsWorld(Loops.Backend backend, int loops, BlockDevice device, UnaryOperator<HostOptions> change,
      @Nullable Provider provider) {
    targetLoops = Loops.start(new Loops.Config("target", loops, backend, 0, List.of()));
    hostLoops = Loops.start(new Loops.Config("host", loops, backend, 0, List.of()));
    Subsystem subsystem = target.addSubsystem(Subsystem.Config.of(NQN));
    subsystem.allowAnyHost(true);
    subsystem.addNamespace(1, device);
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    RegisteredBytes bytes = RegisteredBytes.unlessSaidOtherwise();
    listener = await(provider == null
        ? TcpTarget.listen(targetLoops.all(), address, target)
        : RdmaTarget.listen(targetLoops.all(), address, target, provider, RdmaTargetOptions.of(bytes)));
    HostTransport transport = provider == null ? new HostTcp() : new HostRdma(provider, HostRdmaOptions.of(bytes));
    HostOptions options = change.apply(HostOptions.of(listener.localAddress(), NQN));
    controller = await(HostController.connect(transport, hostLoops.all(), options));
  }

  static <T> T await(CompletableFuture<T> future) {
    return future.orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS).join();
  }

  /** Runs {@code action} on {@code loop} and waits for it. */
  static void on(Loop loop, Runnable action) {
    await(CompletableFuture.runAsync(action, loop));
  }

  HostNamespace namespace() {
    return controller.namespaces().getFirst();
  }

  @Override
  public void close() {
    await(controller.close());
    listener.close();
    await(target.close());
    hostLoops.close();
    targetLoops.close();
  }
}
