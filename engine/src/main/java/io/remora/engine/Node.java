package io.remora.engine;

import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.block.BlockDevice;
import io.remora.engine.NodeState.Publication;
import io.remora.nvme.target.KeptProtection;
import io.remora.nvme.target.TargetConfig;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One storage node: pools, volumes, and what is published of them. All methods belong to its control loop, the first of its
 * loops; futures are done there.
 *
 * <p>What a command has answered survives every crash: the intent is stored before anything is done, pools and volumes change
 * atomically, and {@link #open} finishes or undoes what was cut off (docs/format/node.md). Commands run one after another.
 */
public final class Node {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  private static final String LOCK = "node.lock";
  private static final long DRAIN_NS = 5_000_000_000L;

  /**
   * How to run a node.
   *
   * @param folder where its state lies; exists
   * @param listen where hosts connect
   * @param target the bounds of what hosts may use
   * @param rdma whether and how hosts connect by RDMA, too
   */
  public record Config(Path folder, InetSocketAddress listen, TargetConfig target, RdmaOptions rdma) {
    /** With default bounds, TCP only. */
    public static Config of(Path folder, InetSocketAddress listen) {
      return new Config(folder, listen, TargetConfig.DEFAULT, RdmaOptions.none());
    }

    /** With other bounds. */
    public Config withTarget(TargetConfig bounds) {
      return new Config(folder, listen, bounds, rdma);
    }

    /** With RDMA. */
    public Config withRdma(RdmaOptions options) {
      return new Config(folder, listen, target, options);
    }
  }

  private final List<Loop> loops;
  private final Loop loop;
  private final Config config;
  private final DiskFile lock;
  private final StateFile state;
  private final Pools pools;
  private final Exports exports;
  private final long startedWallMs;
  private final Sequence sequence = new Sequence();
  private @Nullable CompletableFuture<Void> closed;

  private Node(List<Loop> loops, Config config, DiskFile lock, StateFile state, Pools pools, Exports exports) {
    this.loops = loops;
    this.loop = loops.getFirst();
    this.config = config;
    this.lock = lock;
    this.state = state;
    this.pools = pools;
    this.exports = exports;
    this.startedWallMs = loop.clock().wallMillis();
  }

  /**
   * Starts the node of {@code config}'s folder: everything that was there is there again. From any thread; the future is done on the
   * first loop. Fails with {@link Status#BUSY} when another process has the folder, and when RDMA is required and is not to be had
   * ({@link Status#UNSUPPORTED} without a device).
   */
  public static CompletableFuture<Node> open(List<Loop> loops, Config config) {
    CompletableFuture<Node> result = new CompletableFuture<>();
    List<Loop> all = List.copyOf(loops);
    all.getFirst().execute(() -> {
      DiskFile lock = null;
      try {
        lock = lock(all.getFirst(), config.folder);
        start(all, config, lock, result);
      } catch (RemoraException e) {
        if (lock != null) {
          lock.close();
        }
        result.completeExceptionally(e);
      }
    });
    return result;
  }

  private static DiskFile lock(Loop loop, Path folder) {
    try {
      return loop.disk().open(folder.resolve(LOCK), Disk.Mode.CREATE);
    } catch (RemoraException e) {
      if (e.status() == Status.BUSY) {
        throw new RemoraException(Status.BUSY, "another node runs on " + folder
            + ": stop it first, or choose another folder with --data", e);
      }
      throw e;
    }
  }

  private static void start(List<Loop> loops, Config config, DiskFile lock, CompletableFuture<Node> result) {
    Rdma rdma = new Rdma(loops, config.rdma, config.listen);
    StateFile state = StateFile.open(loops.getFirst(), config.folder);
    Pools pools = new Pools(loops.getFirst(), state);
    pools.restore()
        .thenCompose(
            restored -> Exports.open(loops, config.listen, config.target, rdma,
                offers(loops.getFirst(), state, pools)))
        .whenComplete((exports, failure) -> {
          if (failure == null) {
            result.complete(new Node(loops, config, lock, state, pools, exports));
          } else {
            pools.close().whenComplete((done, ignored) -> {
              lock.close();
              result.completeExceptionally(Causes.of(failure));
            });
          }
        });
  }

  private static List<Exports.Offer> offers(Loop loop, StateFile state, Pools pools) {
    List<Exports.Offer> offers = new ArrayList<>();
    for (Publication publication : state.now().publications()) {
      BlockDevice device = pools.device(publication.volume());
      if (device == null) {
        LOG.error("volume {} is published as {}, but none of the pools that are online has it", publication.volume(),
            publication.nqn());
      } else {
        offers.add(offer(publication, device, PublicationProtection.of(loop, state, publication)));
      }
    }
    return offers;
  }

  private static Exports.Offer offer(Publication publication, BlockDevice device, KeptProtection protection) {
    return new Exports.Offer(publication.volume(), publication.nqn(), publication.address(), publication.hosts(),
        device, protection);
  }

  /** The control loop. From any thread. */
  public Loop loop() {
    return loop;
  }

  /** How it is. */
  public NodeInfo info() {
    return new NodeInfo(state.now().node(), config.folder, exports.listeners(), exports.rdma(), startedWallMs,
        loops.size());
  }

  /** Its pools, by name. */
  public List<PoolInfo> pools() {
    return pools.list();
  }

  /** Its volumes, by pool and name. */
  public List<VolumeInfo> volumes() {
    return pools.volumes().stream().map(this::withPublication).toList();
  }

  /**
   * Makes a pool. {@code clusterBytes} 0: the default; {@code force}: on disks that hold another pool, too.
   */
  public CompletableFuture<PoolInfo> createPool(String name, List<DiskChoice> disks, long clusterBytes,
      boolean force) {
    return sequence.run(() -> pools.create(name, disks, clusterBytes, force));
  }

  /** Takes up what the pool's disks have gained, after making {@code disks}, files among them, longer. */
  public CompletableFuture<PoolInfo> growPool(String name, List<DiskChoice> disks) {
    return sequence.run(() -> pools.grow(name, disks));
  }

  /** Opens a pool that is on disks already. */
  public CompletableFuture<PoolInfo> importPool(List<Path> paths) {
    return sequence.run(() -> pools.importFrom(paths));
  }

  /** Closes a pool, none of whose volumes is published, and forgets where it is. */
  public CompletableFuture<Void> exportPool(String name) {
    return sequence.run(() -> {
      pools.volumes().stream().filter(volume -> volume.pool().equals(name)).forEach(this::checkNotOffered);
      return pools.export(name);
    });
  }

  /** Wipes a pool without volumes off its disks. */
  public CompletableFuture<Void> destroyPool(String name) {
    return sequence.run(() -> pools.destroy(name));
  }

  /** Makes a volume; repeated with the same UUID it finds it made. */
  public CompletableFuture<VolumeInfo> createVolume(String pool, String name, UUID uuid, long sizeBytes,
      boolean thick) {
    return sequence.run(() -> pools.createVolume(pool, name, uuid, sizeBytes, thick).thenApply(this::withPublication));
  }

  /** Makes a volume larger; hosts that use it are told. */
  public CompletableFuture<VolumeInfo> resizeVolume(String reference, long sizeBytes) {
    return sequence.run(() -> pools.resizeVolume(pools.find(reference).uuid(), sizeBytes)
        .thenApply(this::withPublication));
  }

  /** Deletes a volume that is not published. */
  public CompletableFuture<Void> deleteVolume(String reference) {
    return sequence.run(() -> {
      VolumeInfo volume = pools.find(reference);
      checkNotOffered(volume);
      return pools.deleteVolume(volume.uuid());
    });
  }

  /**
   * Publishes a volume at {@code listen} (null: where the node listens) for {@code hosts} (none: any); a published one gets other hosts.
   */
  public CompletableFuture<VolumeInfo> publishVolume(String reference, @Nullable InetSocketAddress listen,
      List<String> hosts) {
    return sequence.run(() -> publish(pools.find(reference), listen, List.copyOf(hosts)));
  }

  private CompletableFuture<VolumeInfo> publish(VolumeInfo volume, @Nullable InetSocketAddress listen,
      List<String> hosts) {
    hosts.forEach(io.remora.nvme.Nqn::check);
    NodeState before = state.now();
    Publication known = before.publication(volume.uuid());
    if (known != null && !java.util.Objects.equals(known.address(), listen)) {
      throw new RemoraException(Status.EXISTS, "volume " + volume.name()
          + " is published at another address: 'remora volume unpublish " + volume.name() + "' first");
    }
    Publication next = new Publication(volume.uuid(), Names.nqn(volume.uuid()), listen, hosts,
        known != null && known.writeProtected());
    if (!next.equals(known)) {
      state.store(before.with(next));
    }
    if (exports.info(next.nqn()) != null) {
      exports.allow(next.nqn(), hosts);
      return CompletableFuture.completedFuture(withPublication(volume));
    }
    BlockDevice device = java.util.Objects.requireNonNull(pools.device(volume.uuid()));
    return exports.add(offer(next, device, PublicationProtection.of(loop, state, next))).handle((done, failure) -> {
      if (failure != null) {
        state.store(state.now().withoutPublication(volume.uuid()));
        throw Causes.remora(failure);
      }
      return withPublication(volume);
    });
  }

  /** Takes a volume from its hosts. */
  public CompletableFuture<VolumeInfo> unpublishVolume(String reference) {
    return sequence.run(() -> {
      VolumeInfo volume = pools.find(reference);
      if (state.now().publication(volume.uuid()) != null) {
        state.store(state.now().withoutPublication(volume.uuid()));
      }
      return exports.remove(Names.nqn(volume.uuid())).thenApply(done -> withPublication(volume));
    });
  }

  /** Publishes a volume to one host, under an NQN of its own, until {@link #detachVolume} or the end of the node. */
  public CompletableFuture<Attachment> attachVolume(String reference, String hostNqn) {
    return sequence.run(() -> {
      VolumeInfo volume = pools.find(reference);
      String nqn = Names.nqn(volume.uuid()) + ":attach:"
          + String.format(Locale.ROOT, "%016x", loop.random().nextLong());
      BlockDevice device = java.util.Objects.requireNonNull(pools.device(volume.uuid()));
      Publication publication = state.now().publication(volume.uuid());
      // What hosts have protected is protected on every way to it.
      KeptProtection protection = new KeptProtection(publication != null && publication.writeProtected(),
          KeptProtection.NONE.keeper());
      return exports.add(new Exports.Offer(volume.uuid(), nqn, null, List.of(hostNqn), device, protection))
          .thenApply(done -> new Attachment(nqn, exports.localAddress(), withPublication(volume)));
    });
  }

  /** Ends an attachment. */
  public CompletableFuture<Void> detachVolume(Attachment attachment) {
    return sequence.run(() -> exports.remove(attachment.nqn()));
  }

  /**
   * Stops in order: takes no more connections and commands, drops the hosts once what they sent is done (for at most 5 s), makes
   * everything durable, closes the pools and gives the folder back.
   */
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> begun = closed;
    if (begun != null) {
      return begun;
    }
    exports.stopListening();
    CompletableFuture<Void> ending = sequence
        .run(() -> withLimit(exports.close()).thenCompose(drained -> pools.close()))
        .whenComplete((done, failure) -> lock.close());
    sequence.close("the node is stopping");
    closed = ending;
    return ending;
  }

  private CompletableFuture<Void> withLimit(CompletableFuture<Void> draining) {
    CompletableFuture<Void> limited = new CompletableFuture<>();
    Timer timer = loop.timer(() -> {
      LOG.warn("requests of hosts are still not done after {} s: stopping all the same", DRAIN_NS / 1_000_000_000L);
      limited.complete(null);
    });
    timer.arm(DRAIN_NS);
    draining.whenComplete((done, failure) -> {
      timer.cancel();
      limited.complete(null);
    });
    return limited;
  }

  private VolumeInfo withPublication(VolumeInfo volume) {
    VolumeInfo fresh = pools.volume(volume.uuid());
    VolumeInfo shown = fresh == null ? volume : fresh;
    PublicationInfo publication = exports.info(Names.nqn(volume.uuid()));
    return new VolumeInfo(shown.name(), shown.uuid(), shown.pool(), shown.sizeBytes(), shown.blockBytes(), shown.thin(),
        shown.usedBytes(), publication);
  }

  private void checkNotOffered(VolumeInfo volume) {
    if (exports.offered(volume.uuid()) || state.now().publication(volume.uuid()) != null) {
      throw new RemoraException(Status.BUSY,
          "volume " + volume.name() + " is in use by hosts: 'remora volume unpublish "
              + volume.name() + "' first");
    }
  }
}
