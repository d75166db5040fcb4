package io.remora.nvme.tcp;

import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A target with one subsystem and one namespace on a simulated machine, and a machine for raw hosts. Closing it checks that nothing
 * was left behind: memory, sockets, channels.
 */
final class TestWorld implements AutoCloseable {
  static final String NQN = "nqn.2024-01.test:disk";
  static final String HOST = "nqn.2024-01.test:host";
  static final int BLOCK = 512;
  static final long SIZE = 4 << 20;
  static final long LIMIT_NS = 600_000_000_000L;

  final Simulation sim;
  final SimMachine targetMachine;
  final SimMachine hostMachine;
  final List<SimLoop> targetLoops;
  final SimLoop hostLoop;
  final Arena arena = Arena.ofShared();
  final TestDevice device = new TestDevice(arena, BLOCK, SIZE);
  final Target target;
  final Subsystem subsystem;
  final TargetListener listener;
  private final List<TestQueue> queues = new ArrayList<>();

  TestWorld(long seed) {
    this(seed, TargetConfig.DEFAULT);
  }

  TestWorld(long seed, TargetConfig config) {
    sim = new Simulation(seed);
    targetMachine = sim.machine("target");
    hostMachine = sim.machine("host");
    targetLoops = targetMachine.start(2);
    hostLoop = hostMachine.start(1).getFirst();
    target = new Target(config);
    subsystem = target.addSubsystem(Subsystem.Config.of(NQN));
    subsystem.allowAnyHost(true);
    subsystem.addNamespace(1, device);
    List<Loop> loops = List.copyOf(targetLoops);
    listener = await(TcpTarget.listen(loops, new InetSocketAddress(targetMachine.address(), 4420), target));
  }

  <T> T await(CompletableFuture<T> future) {
    sim.runUntil(future::isDone, LIMIT_NS);
    return future.join();
  }

  /** A new connection to the target, with nothing sent on it. */
  TestQueue queue() {
    return queue(listener.localAddress());
  }

  /** A new connection to another listener of it. */
  TestQueue queue(InetSocketAddress address) {
    TestQueue queue = new TestQueue(this, address);
    queues.add(queue);
    return queue;
  }

  /** A connection that has been initialized, without digests. */
  TestQueue initialized() {
    return queue().initialize(0, false, false);
  }

  /** An admin queue whose controller is enabled. */
  TestQueue admin() {
    TestQueue queue = initialized();
    queue.connectAdmin(NQN, HOST, 0);
    queue.enable();
    return queue;
  }

  /** I/O queue {@code qid} of the controller of {@code admin}. */
  TestQueue io(TestQueue admin, int qid) {
    TestQueue queue = initialized();
    queue.connectIo(admin, qid, 31, true);
    return queue;
  }

  void settle() {
    sim.runFor(1_000_000_000L);
  }

  @Override
  public void close() {
    for (TestQueue queue : queues) {
      queue.close();
    }
    device.letGo();
    listener.close();
    settle();
    sim.runFor(20_000_000_000L);
    await(target.close());
    settle();
    if (targetMachine.openSockets() != 0) {
      throw new AssertionError(targetMachine.openSockets() + " sockets are left, seed " + sim.seed());
    }
    if (device.openChannels != 0) {
      throw new AssertionError(device.openChannels + " channels are left, seed " + sim.seed());
    }
    arena.close();
  }
}
