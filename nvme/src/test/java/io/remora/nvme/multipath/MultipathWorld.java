package io.remora.nvme.multipath;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.MemoryDevice;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import io.remora.nvme.tcp.HostTcp;
import io.remora.nvme.tcp.TcpTarget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A simulated host, and nodes that all offer the same memory under one name, each with controller identifiers of its own. */
final class MultipathWorld {
  static final String NQN = "nqn.2024-01.test:multipath";
  static final long SECOND = 1_000_000_000L;
  static final long MILLI = 1_000_000L;
  static final int SIZE = 2 << 20;

  /** One request with memory of its own. */
  static final class Io {
    final MemorySegment memory;
    final IoRequest request;
    boolean done;

    Io(int bytes) {
      memory = Arena.ofAuto().allocate(Math.max(bytes, 1), 8);
      request = new IoRequest(r -> done = true);
    }
  }

  /** A machine that offers a device. */
  final class Node {
    final SimMachine machine;
    final InetSocketAddress address;
    final int index;
    BlockDevice device = memory;
    Target target = new Target(TargetConfig.DEFAULT);
    Subsystem subsystem;
    @Nullable
    TargetListener listener;

    Node(int index) {
      this.index = index;
      machine = sim.machine("node" + index);
      address = new InetSocketAddress(machine.address(), 4420);
      subsystem = offer();
    }

    private Subsystem offer() {
      target = new Target(TargetConfig.DEFAULT);
      Subsystem offered = target.addSubsystem(
          new Subsystem.Config(NQN, "SERIAL", "Remora", 1000 * index + 1, 1000 * index + 999));
      offered.allowAnyHost(true);
      offered.addNamespace(1, device);
      return offered;
    }

    /** Boots it and listens. */
    Node start() {
      subsystem = offer();
      listen(target);
      return this;
    }

    /** Boots it as another way into {@code other}'s target. */
    void startAsPortOf(Node other) {
      listen(other.target);
    }

    private void listen(Target of) {
      List<Loop> loops = List.copyOf(machine.start(1));
      CompletableFuture<TargetListener> listening = TcpTarget.listen(loops, address, of);
      sim.runUntil(listening::isDone, SECOND);
      listener = listening.join();
    }

    /** Listens no more; connections stay. */
    void close() {
      TargetListener open = listener;
      assert open != null;
      machine.loop(0).run(open::close);
    }

    /** Reads and writes that it has done. */
    long ios() {
      return subsystem.namespaces().getFirst().counts().reads() + subsystem.namespaces().getFirst().counts().writes();
    }

    void reset() {
      sim.net().reset(host, machine);
    }

    void partition() {
      sim.net().partition(host, machine);
    }

    void heal() {
      sim.net().heal(host, machine);
    }
  }

  final Simulation sim;
  final SimMachine host;
  final List<SimLoop> loops;
  final MemoryDevice memory = new MemoryDevice("memory", new UUID(3, 4), SIZE, 512);
  final List<Node> nodes = new ArrayList<>();
  MultipathOptions options;
  @Nullable
  MultipathDevice opened;

  MultipathWorld(long seed, int nodeCount, int hostLoops) {
    sim = new Simulation(seed);
    host = sim.machine("host");
    loops = host.start(hostLoops);
    for (int i = 0; i < nodeCount; i++) {
      nodes.add(new Node(i));
    }
    options = MultipathOptions.of(HostOptions.of(nodes.getFirst().address, NQN));
    times(times -> times.withKeepAlive(2 * SECOND).withIo(3 * SECOND).withConnect(2 * SECOND));
  }

  MultipathWorld times(UnaryOperator<HostOptions.Times> change) {
    return host(each -> each.withTimes(change.apply(each.times())));
  }

  MultipathWorld host(UnaryOperator<HostOptions> change) {
    options = new MultipathOptions(change.apply(options.host()), options.nsid(), options.policy(), options.local(),
        options.maxHeld());
    return this;
  }

  Node node(int index) {
    return nodes.get(index);
  }

  /** Starts all nodes and opens the device over all of them. */
  MultipathDevice open() {
    nodes.forEach(Node::start);
    return openNow();
  }

  /** Opens the device over all nodes. */
  MultipathDevice openNow() {
    MultipathDevice device = await(begin());
    opened = device;
    return device;
  }

  CompletableFuture<MultipathDevice> begin() {
    return MultipathDevice.open(new HostTcp(), List.copyOf(loops), options,
        nodes.stream().map(node -> node.address).toList());
  }

  MultipathDevice device() {
    MultipathDevice device = opened;
    assert device != null;
    return device;
  }

  <T> T await(CompletableFuture<T> future) {
    sim.runUntil(future::isDone, 120 * SECOND);
    return future.join();
  }

  BlockChannel channel() {
    SimLoop loop = loops.getFirst();
    return loop.call(() -> device().open(loop));
  }

  Io submit(BlockChannel channel, IoRequest.Op op, long offset, int length, int fill) {
    Io io = new Io(length);
    io.request.prepare(op, offset, length);
    if (io.request.hasData()) {
      io.memory.fill((byte) fill);
      io.request.sgl.add(io.memory, 0, length);
    }
    ((SimLoop) channel.loop()).run(() -> channel.submit(io.request));
    return io;
  }

  Io await(Io io) {
    sim.runUntil(() -> io.done, 120 * SECOND);
    return io;
  }

  /** Reads {@code count} times, one after the other, with success. */
  void read(BlockChannel channel, int count) {
    for (int i = 0; i < count; i++) {
      Io io = await(submit(channel, IoRequest.Op.READ, 512L * i, 512, 0));
      assertThat(io.request.status.isOk()).as("%s: %s", io.request, io.request.status).isTrue();
    }
  }

  PathStatus status(int index) {
    return device().paths().get(index);
  }

  void awaitState(int index, PathState state) {
    sim.runUntil(() -> status(index).state() == state, 60 * SECOND);
    sim.runFor(MILLI);
  }

  /** Closes the device and sees that nothing is left. */
  void close() {
    await(device().close());
    sim.runFor(SECOND);
    assertThat(host.openSockets()).as("open sockets of the host").isZero();
  }
}
