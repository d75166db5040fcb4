package io.remora.sim;

import io.remora.base.IoRequest;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.SimFile;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.engine.PoolInfo;
import io.remora.nvme.host.HostOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A node with its disks, the hosts that use its volumes, and the network between them: real code on simulated machines, and a model of
 * what must hold. Belongs to the simulation's thread; methods are called outside of all loops unless they say otherwise.
 */
final class World implements AutoCloseable {
  static final long SECOND = 1_000_000_000L;
  /** So soon everything has to be well again when nothing goes wrong any more. */
  static final long PATIENCE_NS = 300 * SECOND;

  private static final long AMBUSH_NS = 200_000;

  private record Ambush(IoRequest.Op op, Runnable strike) {}

  private final Simulation simulation;
  private final RandomGenerator random;
  private final Shape shape;
  private final Trace trace;
  private final Arena arena = Arena.ofConfined();
  private final NodeProcess node;
  private final List<SimMachine> hosts = new ArrayList<>();
  private final List<Client> clients = new ArrayList<>();
  private final List<VolumeModel> models = new ArrayList<>();
  private final Catalog catalog = new Catalog();
  private final List<Ambush> ambushes = new ArrayList<>();
  private final Set<Status> excuses = EnumSet.noneOf(Status.class);
  private final SpaceChecker space;
  private boolean built;
  private boolean troubled;
  private boolean mending;
  private boolean diskTrouble;
  private boolean everFailed;
  private @Nullable Throwable failure;

  World(long seed, @Nullable Consumer<String> listener) {
    simulation = new Simulation(seed);
    random = simulation.random();
    shape = Shape.pick(random);
    trace = new Trace(simulation, listener);
    SimMachine machine = simulation.machine("node");
    shape.apply(simulation, machine);
    node = new NodeProcess(this, machine);
    space = new SpaceChecker(this);
    for (int i = 0; i < shape.hosts(); i++) {
      hosts.add(simulation.machine("host" + i));
    }
    simulation.afterEveryEvent(this::check);
  }

  Simulation simulation() {
    return simulation;
  }

  RandomGenerator random() {
    return random;
  }

  Shape shape() {
    return shape;
  }

  Trace trace() {
    return trace;
  }

  NodeProcess node() {
    return node;
  }

  List<SimMachine> hosts() {
    return hosts;
  }

  List<Client> clients() {
    return clients;
  }

  List<VolumeModel> models() {
    return models;
  }

  Catalog catalog() {
    return catalog;
  }

  SpaceChecker space() {
    return space;
  }

  /** Memory that lives as long as the world. */
  MemorySegment memory(long bytes) {
    return arena.allocate(bytes, 8);
  }

  // Making it.

  /** Starts everything: node, pool, volumes, hosts. */
  void build() {
    node.start();
    runUntil(node::up, "the node starts");
    node.must("create pool", n -> n.createPool(NodeProcess.POOL, node.choices(), shape.clusterBytes(), false));
    hosts.forEach(host -> host.start(shape.loopsPerHost()));
    for (int i = 0; i < shape.volumes().size(); i++) {
      addVolume(i + 1, shape.volumes().get(i));
    }
    built = true;
  }

  private void addVolume(int number, Shape.VolumeShape wanted) {
    String name = "volume" + number;
    catalog.begin(name, wanted.sizeBytes());
    node.must("create " + name, n -> n.createVolume(NodeProcess.POOL, name, uuid(number), wanted.sizeBytes(),
        wanted.thick()));
    catalog.done(name, wanted.sizeBytes());
    String nqn = java.util.Objects.requireNonNull(
        node.must("publish " + name, n -> n.publishVolume(name, null, List.of())).publication()).nqn();
    VolumeModel model = new VolumeModel(number, (int) (wanted.sizeBytes() / Stamp.BYTES));
    models.add(model);
    clients.add(new Client(this, name, model, hosts.get(number % hosts.size()), options(nqn)));
  }

  private HostOptions options(String nqn) {
    HostOptions options = HostOptions.of(node.address(), nqn).withDigests(random.nextBoolean(), random.nextBoolean())
        .withQueues(0, 2 + random.nextInt(12));
    return options.withTimes(options.times().withKeepAlive(2 * SECOND).withIo(3 * SECOND).withConnect(2 * SECOND)
        .withReconnect(SECOND / 20, SECOND).withHold(shape.holdNs()));
  }

  /** The identity of volume {@code number}. */
  static UUID uuid(long number) {
    return new UUID(0x4000, 0x8000_0000_0000_0000L | number);
  }

  // Running it.

  /** Runs {@code action} after {@code delayNs}, outside of all loops. From anywhere. */
  void schedule(long delayNs, Runnable action) {
    simulation.schedule(delayNs, action);
  }

  /** Runs until {@code condition} holds, which must be soon. */
  void runUntil(BooleanSupplier condition, String what) {
    long endNs = simulation.nowNs() + PATIENCE_NS;
    while (!condition.getAsBoolean()) {
      if (simulation.nowNs() > endNs || !simulation.step()) {
        throw new AssertionError(
            "no progress: " + what + " is not done after " + PATIENCE_NS / SECOND + " s; " + state());
      }
    }
  }

  /** Runs until {@code future} is done, and returns its result. */
  <T extends @Nullable Object> T await(CompletableFuture<T> future, String what) {
    runUntil(future::isDone, what);
    try {
      return future.join();
    } catch (CompletionException e) {
      throw new AssertionError(what + ": " + e.getCause(), e);
    }
  }

  private String state() {
    StringBuilder text = new StringBuilder(node.up() ? "the node serves, " + node.pool() : "the node does not serve");
    clients.forEach(client -> text.append("; ").append(client.state()));
    return text.toString();
  }

  // Trouble.

  /** Whether enemies are about. */
  boolean troubled() {
    return troubled;
  }

  /** Lets the enemies in. */
  void trouble() {
    troubled = true;
    if (shape.holdNs() < PATIENCE_NS) {
      mayFail(Status.DISCONNECTED);
    }
    shape.enemies().forEach(this::strikeLater);
  }

  private void strikeLater(Enemy enemy) {
    schedule(random.nextLong(2 * enemy.meanPauseNs()), () -> {
      if (troubled) {
        enemy.strike(this);
        strikeLater(enemy);
      }
    });
  }

  /** Ends all trouble; what it has broken an operator mends: the node runs, on a pool that takes writes. */
  void calm() {
    troubled = false;
    ambushes.clear();
    trace.add("world", "calm");
    shape.enemies().forEach(enemy -> enemy.leave(this));
    simulation.net().heal();
    shape.calm(simulation);
    node.files().forEach(SimFile::heal);
    node.machine().resume();
    hosts.forEach(SimMachine::resume);
    mending = true;
    mend();
    runUntil(() -> node.up() && !node.commanded() && healthy(), "the node serves");
    mending = false;
    diskTrouble = false;
    catalog.check(node.volumes());
    shape.enemies().forEach(enemy -> enemy.repair(this));
  }

  /** An operator starts the node anew when its pool takes no writes any more. */
  void replace() {
    if (node.up() && !healthy()) {
      node.kill();
      node.startIn(random.nextLong(SECOND));
    }
  }

  /** A command was refused: that has to have a reason. */
  void refused(RemoraException why) {
    // A node that stops in order takes no more commands.
    if (why.status() != Status.ABORTED && !excuses.contains(why.status())) {
      throw new AssertionError("a command failed: " + why.getMessage() + " (" + why.status() + ")", why);
    }
  }

  /** Starts the node when it does not run; anew when its pool takes no writes. Commands that were cut off are in doubt. */
  private void mend() {
    if (node.up() && !healthy()) {
      node.kill();
    }
    if (!node.machine().running()) {
      node.start();
    }
    schedule(SECOND, () -> {
      if (mending && !(node.up() && healthy())) {
        mend();
      }
    });
  }

  /** Whether the pool takes writes. A disk that has failed leaves marks behind: metadata that was moved, so a degraded pool. */
  private boolean healthy() {
    PoolInfo pool = node.pool();
    return pool != null && (pool.state() == PoolInfo.State.ONLINE
        || (pool.state() == PoolInfo.State.DEGRADED && everFailed));
  }

  /** A disk is about to fail: from now on requests may fail as {@code statuses}, and the pool may be hurt. */
  void diskTrouble(Status... statuses) {
    diskTrouble = true;
    everFailed = true;
    mayFail(statuses);
  }

  /** Whether a disk has failed since the world was calm. */
  boolean disksAreBad() {
    return diskTrouble;
  }

  /** From now on requests may fail as {@code statuses}. */
  void mayFail(Status... statuses) {
    excuses.addAll(List.of(statuses));
  }

  /** Nothing may fail any more. */
  void noExcuses() {
    excuses.clear();
  }

  /** Whether {@code request} may end so; throws when it may not. From any loop. */
  void excuse(String request, IoRequest.Op op, Status status) {
    boolean full = status == Status.NO_SPACE && op == IoRequest.Op.WRITE && space.wasTight();
    if (!full && !excuses.contains(status)) {
      throw new AssertionError(request + " failed: " + status);
    }
  }

  /** The node has begun to serve. */
  void onNodeUp() {
    if (built && !diskTrouble) {
      PoolInfo pool = node.pool();
      if (pool == null || !healthy()) {
        throw new AssertionError("the pool is not well after a restart: " + pool);
      }
      catalog.check(node.volumes());
      space.checkVolumes();
    }
  }

  // What must hold.

  /** Something does not hold; ends the run at the end of this event. From any loop. */
  void fail(Throwable why) {
    if (failure == null) {
      failure = why;
    }
  }

  /** Does {@code strike} right after the next answer to {@code op}: when what was promised has just been promised. */
  void ambush(IoRequest.Op op, Runnable strike) {
    ambushes.add(new Ambush(op, strike));
  }

  /** Does {@code strike} at once, or in ambush for a flush or a write. */
  void nowOrAfterAnAnswer(Runnable strike) {
    switch (random.nextInt(4)) {
      case 0 -> ambush(IoRequest.Op.FLUSH, strike);
      case 1, 2 -> ambush(IoRequest.Op.WRITE, strike);
      default -> strike.run();
    }
  }

  /** A request was answered. From any loop. */
  void answered(IoRequest request) {
    space.look();
    for (int i = ambushes.size() - 1; i >= 0; i--) {
      Ambush ambush = ambushes.get(i);
      if (ambush.op == request.op) {
        ambushes.remove(i);
        schedule(random.nextInt(4) == 0 ? random.nextLong(AMBUSH_NS) : random.nextLong(100), () -> {
          if (troubled) {
            ambush.strike.run();
          }
        });
      }
    }
  }

  private void check() {
    Throwable why = failure;
    if (why instanceof Error error) {
      throw error;
    }
    if (why != null) {
      throw new AssertionError(why);
    }
    if (simulation.events() % 64 == 0) {
      space.look();
    }
  }

  @Override
  public void close() {
    simulation.close();
    arena.close();
  }
}
