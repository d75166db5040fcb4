package io.remora.engine;

import io.remora.base.Addresses;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.base.sim.SimImage;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.nvme.host.DiscoveryClient;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostTransport;
import io.remora.nvme.rdma.HostRdma;
import io.remora.nvme.rdma.HostRdmaOptions;
import io.remora.nvme.rdma.RdmaTargetOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.nvme.tcp.HostTcp;
import io.remora.verbs.CmListener;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.provider.RdmaPolicy;
import io.remora.verbs.sim.SimFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A simulated machine that runs a node, and one beside it with a host. */
final class NodeWorld {
  static final long SECOND = 1_000_000_000L;
  static final long MIB = 1 << 20;
  static final Path FOLDER = Path.of("/data");

  final Simulation sim;
  final SimMachine machine;
  final SimMachine hostMachine;
  final SimLoop hostLoop;
  final SimFabric fabric;
  /** What the node has registered. */
  RegisteredBytes registered = RegisteredBytes.unlessSaidOtherwise();
  private final @Nullable RdmaPolicy policy;
  private final List<Provider> providers;
  private @Nullable Node node;

  /** A world with a node whose machine has nothing on its disks. */
  NodeWorld(long seed) {
    this(seed, null);
  }

  /** A world with a node whose disks hold {@code image}. */
  NodeWorld(long seed, @Nullable SimImage image) {
    this(seed, image, null, new SimFabric(), List.of());
    start();
  }

  /** A world whose node, which is not started yet, does RDMA on {@code fabric}. */
  NodeWorld(long seed, RdmaPolicy policy, SimFabric fabric, List<Provider> providers) {
    this(seed, null, policy, fabric, providers);
  }

  private NodeWorld(long seed, @Nullable SimImage image, @Nullable RdmaPolicy policy, SimFabric fabric,
      List<Provider> providers) {
    this.policy = policy;
    this.fabric = fabric;
    this.providers = providers;
    sim = new Simulation(seed);
    machine = sim.machine("node");
    hostMachine = sim.machine("host");
    hostLoop = hostMachine.start(1).getFirst();
    if (image != null) {
      machine.disk().restore(image);
    }
  }

  static UUID uuid(long number) {
    return new UUID(0x4000, 0x8000_0000_0000_0000L | number);
  }

  static List<DiskChoice> file(String path, long size) {
    return List.of(new DiskChoice(Path.of(path), size));
  }

  Node node() {
    return java.util.Objects.requireNonNull(node);
  }

  SimLoop loop() {
    return machine.loop(0);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(machine.address(), 4420);
  }

  /** Starts the node's process. */
  void start() {
    start(null);
  }

  /** Starts it, to serve RDMA at {@code rdmaListen}. */
  void start(@Nullable InetSocketAddress rdmaListen) {
    List<Loop> loops = List.copyOf(machine.start(2));
    Node.Config config = Node.Config.of(FOLDER, address());
    node = await(
        Node.open(loops, policy == null
            ? config
            : config.withRdma(new RdmaOptions(policy, providers, rdmaListen, RdmaTargetOptions.of(registered)))));
  }

  /** SIGKILL, and a new life. */
  void restart() {
    machine.kill();
    registered = RegisteredBytes.unlessSaidOtherwise();
    start();
  }

  /** Runs an operation of the node to its end. */
  <T extends @Nullable Object> T call(Supplier<CompletableFuture<T>> operation) {
    return await(loop().call(operation));
  }

  /** How an operation of the node fails. */
  <T extends @Nullable Object> Status refusal(Supplier<CompletableFuture<T>> operation) {
    CompletableFuture<T> running = loop().call(operation);
    sim.runUntil(running::isDone, 60 * SECOND);
    if (!running.isCompletedExceptionally()) {
      throw new AssertionError("it did not fail");
    }
    return Causes.remora(running.exceptionNow()).status();
  }

  <T extends @Nullable Object> T await(CompletableFuture<T> running) {
    sim.runUntil(running::isDone, 60 * SECOND);
    try {
      return running.join();
    } catch (RuntimeException e) {
      throw Causes.remora(e);
    }
  }

  /** Makes a pool {@code main} with a volume {@code data} of number 1 and publishes it at {@code at}; null: where the node listens. */
  PublicationInfo publish(@Nullable InetSocketAddress at) {
    call(() -> node().createPool("main", file("/pool", 64 * MIB), 0, false));
    call(() -> node().createVolume("main", "data", uuid(1), 16 * MIB, false));
    return java.util.Objects.requireNonNull(call(() -> node().publishVolume("data", at, List.of())).publication());
  }

  /** What the node says of its RDMA. */
  RdmaInfo rdma() {
    return loop().call(() -> node().info().rdma());
  }

  /** Takes an RDMA port from the host's machine, which has that address, too: the fabric is one. */
  CmListener occupy(InetSocketAddress address) {
    return hostLoop.call(() -> fabric.provider().open(hostLoop, "sim0").connectionManager().listen(address,
        QueuePairType.RC, request -> {}));
  }

  /** How the node's discovery service says that hosts reach {@code nqn}. */
  List<DiscoveryEntry.Transport> discovered(String nqn) {
    HostOptions service = HostOptions.of(address(), HostOptions.DISCOVERY_NQN);
    return await(DiscoveryClient.read(new HostTcp(), hostLoop, service)).stream()
        .filter(entry -> entry.subsystemNqn().equals(nqn)).map(DiscoveryEntry::transport).toList();
  }

  /** Everything that a person can ask the node for, but how much space is used. */
  List<String> view() {
    return loop().call(() -> {
      List<String> lines = new ArrayList<>();
      for (PoolInfo pool : node().pools()) {
        lines.add("pool " + pool.name() + " " + pool.state() + " " + pool.uuid() + " " + pool.space().capacityBytes()
            + pool.reason());
      }
      for (VolumeInfo volume : node().volumes()) {
        PublicationInfo published = volume.publication();
        lines.add("volume " + volume.pool() + "/" + volume.name() + " " + volume.uuid() + " " + volume.sizeBytes() + " "
            + volume.thin() + (published == null
                ? ""
                : " " + published.nqn() + " " + Addresses.format(published.address()) + " "
                    + published.allowedHosts() + (published.writeProtected() ? " write protected" : "")));
      }
      return lines;
    });
  }

  /** Connects the host, as {@code hostNqn} when that is not empty. */
  CompletableFuture<HostController> connect(String nqn, InetSocketAddress at, String hostNqn) {
    return connect(new HostTcp(), nqn, at, hostNqn);
  }

  /** Connects the host by RDMA. */
  CompletableFuture<HostController> connectByRdma(String nqn, InetSocketAddress at, String hostNqn) {
    return connect(new HostRdma(fabric.provider(), HostRdmaOptions.of(RegisteredBytes.unlessSaidOtherwise())), nqn, at,
        hostNqn);
  }

  private CompletableFuture<HostController> connect(HostTransport transport, String nqn, InetSocketAddress at,
      String hostNqn) {
    HostOptions options = HostOptions.of(at, nqn);
    return HostController.connect(transport, List.of(hostLoop),
        hostNqn.isEmpty() ? options : options.withHost(uuid(99), hostNqn));
  }

  /** The namespace of a connected host. */
  BlockDevice device(HostController controller) {
    return controller.namespaces().getFirst();
  }

  /** Has a host that connects for it protect a volume from writes, or take that back. */
  CompletableFuture<Void> writeProtect(String nqn, InetSocketAddress at, boolean on) {
    return connect(nqn, at, "").thenCompose(host -> host.namespaces().getFirst().writeProtect(on)
        .handle((done, failure) -> host.close().thenRun(() -> {
          if (failure != null) {
            throw Causes.remora(failure);
          }
        })).thenCompose(ended -> ended));
  }

  /** Does one operation from the host's loop; {@code data} is written from or read into. */
  Status io(BlockDevice device, Op op, long offset, byte[] data) {
    return await(begin(device, op, offset, data));
  }

  /** Begins one operation. */
  CompletableFuture<Status> begin(BlockDevice device, Op op, long offset, byte[] data) {
    CompletableFuture<Status> ended = new CompletableFuture<>();
    MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, data.length), 4096);
    hostLoop.run(() -> {
      BlockChannel channel = device.open(hostLoop);
      IoRequest request = new IoRequest(done -> {
        if (op == Op.READ) {
          MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, 0, data, 0, data.length);
        }
        channel.close();
        ended.complete(done.status);
      }).prepare(op, offset, data.length);
      if (request.hasData()) {
        MemorySegment.copy(data, 0, memory, ValueLayout.JAVA_BYTE, 0, data.length);
        request.sgl.add(memory, 0, data.length);
      }
      channel.submit(request);
    });
    return ended;
  }
}
