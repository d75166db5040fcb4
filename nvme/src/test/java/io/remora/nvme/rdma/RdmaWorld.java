package io.remora.nvme.rdma;

import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.TestDevice;
import io.remora.verbs.sim.SimFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/**
 * A target with one subsystem and one namespace, reached over a simulated RDMA fabric, and a machine for raw hosts. Closing it checks that nothing was left behind: registered
 * memory, channels, connections.
 */
final class RdmaWorld implements AutoCloseable {
  static final String NQN = "nqn.2024-01.test:disk";
  static final int BLOCK = 512;
  static final long SIZE = 4 << 20;
  static final long SECOND = 1_000_000_000L;
  static final long LIMIT_NS = 600 * SECOND;

  final Simulation sim;
  final SimMachine targetMachine;
  final SimMachine hostMachine;
  final List<SimLoop> targetLoops;
  final SimLoop hostLoop;
  final SimFabric fabric = new SimFabric();
  final Arena arena = Arena.ofShared();
  final TestDevice device = new TestDevice(arena, BLOCK, SIZE);
  final RegisteredBytes bytes;
  final Target target;
  final Subsystem subsystem;
  final TargetListener listener;
  private final List<RawQueue> queues = new ArrayList<>();

  RdmaWorld(long seed) {
    this(seed, RegisteredBytes.unlessSaidOtherwise(), TargetConfig.DEFAULT, 4096);
  }

  RdmaWorld(long seed, RegisteredBytes bytes, TargetConfig config, int inCapsuleBytes) {
    this.bytes = bytes;
    sim = new Simulation(seed);
    fabric.delay(2_000, 50_000);
    targetMachine = sim.machine("target");
    hostMachine = sim.machine("host");
    targetLoops = targetMachine.start(2);
    hostLoop = hostMachine.start(1).getFirst();
    target = new Target(config);
    subsystem = target.addSubsystem(Subsystem.Config.of(NQN));
    subsystem.allowAnyHost(true);
    subsystem.addNamespace(1, device);
    listener = await(
        RdmaTarget.listen(List.<Loop>copyOf(targetLoops), new InetSocketAddress(targetMachine.address(), 4420), target,
            fabric.provider(), RdmaTargetOptions.of(bytes).withInCapsuleBytes(inCapsuleBytes)));
  }

  <T> T await(CompletableFuture<T> future) {
    sim.runUntil(future::isDone, LIMIT_NS);
    return future.join();
  }

  void await(BooleanSupplier condition) {
    sim.runUntil(condition, LIMIT_NS);
  }

  /** A queue that is being connected with that private data, serving {@code reads} reads. */
  RawQueue connecting(MemorySegment privateData, int reads) {
    RawQueue queue = new RawQueue(this, privateData, reads);
    queues.add(queue);
    await(queue::decided);
    return queue;
  }

  /** Queue {@code id} of 32 entries, on which nothing was sent. */
  RawQueue queue(int id) {
    return connecting(new PrivateData.Request(0, id, 32, 31, 0).encode(), 16);
  }

  /** An admin queue whose controller is enabled. */
  RawQueue admin() {
    RawQueue queue = queue(0);
    queue.connect(NQN, 0xffff);
    queue.enable();
    return queue;
  }

  /** I/O queue {@code id} of the controller of {@code admin}. */
  RawQueue io(RawQueue admin, int id) {
    RawQueue queue = queue(id);
    queue.connect(NQN, admin.controllerId);
    return queue;
  }

  void settle() {
    sim.runFor(SECOND);
  }

  @Override
  public void close() {
    queues.forEach(RawQueue::close);
    device.letGo();
    listener.close();
    sim.runFor(20 * SECOND);
    await(target.close());
    settle();
    if (device.openChannels() != 0) {
      throw new AssertionError(device.openChannels() + " channels are left, seed " + sim.seed());
    }
    if (bytes.usedBytes() != 0 || bytes.usedBytes(hostMachine.address()) != 0
        || bytes.usedBytes(targetMachine.address()) != 0) {
      throw new AssertionError(bytes.usedBytes() + " bytes are still registered, seed " + sim.seed());
    }
    arena.close();
  }
}
