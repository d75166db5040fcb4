package io.remora.engine;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.block.pool.Pool;
import io.remora.block.pool.PoolConfig;
import io.remora.block.pool.Usage;
import io.remora.block.pool.Volume;
import io.remora.block.pool.VolumeSpec;
import io.remora.engine.NodeState.Phase;
import io.remora.engine.NodeState.PoolEntry;
import io.remora.engine.PoolInfo.State;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's pools, those that could not be opened too, and their volumes. Belongs to the node's control loop, which is every pool's
 * loop as well. One operation at a time: the node sees to that.
 */
final class Pools {
  private static final Logger LOG = LoggerFactory.getLogger(Pools.class);

  /** A pool that the node has: open, or why not. */
  private record Slot(PoolEntry entry, @Nullable Pool pool, String reason) {}

  private final Loop loop;
  private final StateFile state;
  private final Map<String, Slot> slots = new TreeMap<>();

  Pools(Loop loop, StateFile state) {
    this.loop = loop;
    this.state = state;
  }

  /** Opens the pools that the state names, and finishes what was cut off. A pool that cannot be opened does not keep the others. */
  CompletableFuture<Void> restore() {
    CompletableFuture<Void> restored = CompletableFuture.completedFuture(null);
    for (PoolEntry entry : state.now().pools()) {
      restored = restored.thenCompose(before -> restore(entry));
    }
    return restored;
  }

  private CompletableFuture<Void> restore(PoolEntry entry) {
    CompletableFuture<Void> restored = switch (entry.phase()) {
      case OPEN -> open(entry);
      case CREATING -> open(entry).exceptionallyCompose(failure -> {
        Status status = Causes.remora(failure).status();
        return status == Status.NOT_FOUND || status == Status.CORRUPT
            ? forget(entry)
            : CompletableFuture.failedFuture(failure);
      });
      case DESTROYING -> forget(entry);
    };
    return restored.exceptionally(failure -> {
      String reason = Causes.of(failure).getMessage();
      LOG.error("pool {} cannot be opened: {}", entry.name(), reason);
      slots.put(entry.name(), new Slot(entry, null, String.valueOf(reason)));
      return null;
    });
  }

  private CompletableFuture<Void> open(PoolEntry entry) {
    return Pool.open(loop, entry.paths()).thenCompose(pool -> {
      if (pool.uuid().equals(entry.uuid())) {
        opened(entry.with(Phase.OPEN), pool);
        return CompletableFuture.<Void>completedFuture(null);
      }
      return pool.close().thenCompose(closed -> CompletableFuture.failedFuture(new RemoraException(Status.NOT_FOUND,
          "its disk holds another pool now: " + pool.name() + " (" + pool.uuid() + ")")));
    });
  }

  /** Takes off the disks what was left of a pool when its creation or destruction was cut off. */
  private CompletableFuture<Void> forget(PoolEntry entry) {
    return Pool.erase(loop, entry.uuid(), entry.paths())
        .thenRun(() -> state.store(state.now().withoutPool(entry.uuid())));
  }

  /** Makes durable what is not, and closes all pools. */
  CompletableFuture<Void> close() {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (Slot slot : slots.values()) {
      Pool pool = slot.pool;
      if (pool != null) {
        all.add(pool.close().exceptionally(failure -> {
          LOG.error("pool {} was not closed in order: {}", pool.name(), Causes.of(failure).getMessage());
          return null;
        }));
      }
    }
    slots.clear();
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  /** All pools, by name. */
  List<PoolInfo> list() {
    return slots.values().stream().map(Pools::info).toList();
  }

  CompletableFuture<PoolInfo> create(String name, List<DiskChoice> disks, long clusterBytes, boolean force) {
    Names.check("pool", name);
    List<Path> paths = disks.stream().map(DiskChoice::path).toList();
    Slot known = slots.get(name);
    if (known != null) {
      if (known.entry.paths().equals(paths) && known.pool != null) {
        return CompletableFuture.completedFuture(info(known));
      }
      throw new RemoraException(Status.EXISTS, "there is a pool " + name + " already, on " + known.entry.paths());
    }
    checkUnused(paths);
    PoolEntry entry = new PoolEntry(randomUuid(), name, Phase.CREATING, paths);
    PoolConfig config = new PoolConfig(name, entry.uuid(),
        disks.stream().map(disk -> new PoolConfig.DiskSpec(disk.path(), disk.fileSizeBytes())).toList(),
        clusterBytes == 0 ? PoolConfig.DEFAULT_CLUSTER_BYTES : clusterBytes, force);
    state.store(state.now().with(entry));
    return Pool.create(loop, config).handle((pool, failure) -> {
      if (failure != null) {
        state.store(state.now().withoutPool(entry.uuid()));
        throw Causes.remora(failure);
      }
      return opened(entry.with(Phase.OPEN), pool);
    });
  }

  CompletableFuture<PoolInfo> grow(String name, List<DiskChoice> disks) {
    Pool pool = online(name);
    CompletableFuture<Void> grown = disks.isEmpty() ? pool.grow() : CompletableFuture.completedFuture(null);
    for (DiskChoice disk : disks) {
      grown = grown.thenCompose(before -> pool.grow(disk.path(), disk.fileSizeBytes()));
    }
    return grown.thenApply(done -> info(java.util.Objects.requireNonNull(slots.get(name))));
  }

  CompletableFuture<PoolInfo> importFrom(List<Path> paths) {
    Optional<Slot> same = slots.values().stream()
        .filter(slot -> slot.pool != null && slot.entry.paths().containsAll(paths)).findFirst();
    if (same.isPresent() && !paths.isEmpty()) {
      return CompletableFuture.completedFuture(info(same.get()));
    }
    checkUnused(paths);
    return Pool.open(loop, paths).thenCompose(pool -> {
      Slot known = slots.get(pool.name());
      boolean taken = known != null && (known.pool != null || !known.entry.uuid().equals(pool.uuid()));
      if (taken || !Names.valid(pool.name())) {
        return pool.close().thenCompose(closed -> CompletableFuture.failedFuture(new RemoraException(Status.EXISTS,
            taken
                ? "there is another pool " + pool.name() + " already: export that one first"
                : "the pool on " + paths + " is called '" + pool.name() + "', which no pool can be called here")));
      }
      return CompletableFuture.completedFuture(
          opened(new PoolEntry(pool.uuid(), pool.name(), Phase.OPEN, pool.paths()), pool));
    });
  }

  CompletableFuture<Void> export(String name) {
    Slot slot = slot(name);
    state.store(state.now().withoutPool(slot.entry.uuid()));
    slots.remove(name);
    Pool pool = slot.pool;
    return pool == null ? CompletableFuture.completedFuture(null) : pool.close();
  }

  CompletableFuture<Void> destroy(String name) {
    Pool pool = online(name);
    if (!pool.volumes().isEmpty()) {
      throw new RemoraException(Status.BUSY, "pool " + name + " still has volumes ("
          + String.join(", ", pool.volumes().stream().map(Volume::name).limit(10).toList())
          + "): delete them first with 'remora volume delete'");
    }
    Slot slot = slot(name);
    PoolEntry doomed = slot.entry.with(Phase.DESTROYING);
    state.store(state.now().with(doomed));
    return pool.destroy().handle((done, failure) -> {
      if (failure != null) {
        slots.put(name, new Slot(doomed, null, "it was not destroyed in full: " + Causes.of(failure).getMessage()
            + "; the next start of the node tries again"));
        throw Causes.remora(failure);
      }
      state.store(state.now().withoutPool(doomed.uuid()));
      slots.remove(name);
      return null;
    });
  }

  /** All volumes of the pools that are open, by pool and name. */
  List<VolumeInfo> volumes() {
    List<VolumeInfo> all = new ArrayList<>();
    for (Slot slot : slots.values()) {
      Pool pool = slot.pool;
      if (pool != null) {
        pool.volumes().stream().sorted(Comparator.comparing(Volume::name)).map(Pools::info).forEach(all::add);
      }
    }
    return all;
  }

  /** The volume as a device; null when none of the open pools has it. */
  @Nullable
  BlockDevice device(UUID uuid) {
    return known(uuid);
  }

  /** How the volume is; null when none of the open pools has it. */
  @Nullable
  VolumeInfo volume(UUID uuid) {
    Volume volume = known(uuid);
    return volume == null ? null : info(volume);
  }

  /**
   * The volume that {@code reference} names: NAME, POOL/NAME or UUID.
   *
   * @throws RemoraException {@link Status#NOT_FOUND}, or {@link Status#INVALID} when several have that name
   */
  VolumeInfo find(String reference) {
    List<VolumeInfo> found = volumes().stream()
        .filter(volume -> reference.equals(volume.name()) || reference.equals(volume.pool() + "/" + volume.name())
            || reference.equalsIgnoreCase(volume.uuid().toString()))
        .toList();
    if (found.isEmpty()) {
      throw new RemoraException(Status.NOT_FOUND,
          "there is no volume " + reference + "; 'remora volume list' shows what there is");
    }
    if (found.size() > 1) {
      throw new RemoraException(Status.INVALID, "volume " + reference + " is in pools "
          + String.join(" and ", found.stream().map(VolumeInfo::pool).toList()) + ": write POOL/" + reference);
    }
    return found.getFirst();
  }

  CompletableFuture<VolumeInfo> createVolume(String poolName, String name, UUID uuid, long sizeBytes, boolean thick) {
    Names.check("volume", name);
    Pool pool = online(poolName);
    Volume known = pool.volume(uuid).orElse(null);
    if (known != null && known.name().equals(name) && known.sizeBytes() == sizeBytes && known.thin() != thick) {
      return CompletableFuture.completedFuture(info(known));
    }
    return pool.createVolume(new VolumeSpec(name, uuid, sizeBytes, 0, !thick, Map.of())).thenApply(Pools::info);
  }

  CompletableFuture<VolumeInfo> resizeVolume(UUID uuid, long sizeBytes) {
    Volume volume = java.util.Objects.requireNonNull(known(uuid));
    Check.argument(sizeBytes >= volume.sizeBytes(), "volume %s has %d bytes: it can be made larger, not smaller",
        volume.name(), volume.sizeBytes());
    return volume.pool().resize(volume, sizeBytes).thenApply(done -> info(volume));
  }

  CompletableFuture<Void> deleteVolume(UUID uuid) {
    Volume volume = java.util.Objects.requireNonNull(known(uuid));
    return volume.pool().delete(volume);
  }

  private PoolInfo opened(PoolEntry entry, Pool pool) {
    if (!entry.equals(state.now().pool(entry.uuid()))) {
      state.store(state.now().with(entry));
    }
    Slot slot = new Slot(entry, pool, "");
    slots.put(entry.name(), slot);
    pool.problems().forEach(problem -> LOG.warn("pool {}: {}", pool.name(), problem));
    return info(slot);
  }

  private Slot slot(String name) {
    Slot slot = slots.get(name);
    if (slot == null) {
      throw new RemoraException(Status.NOT_FOUND,
          "there is no pool " + name + "; 'remora pool list' shows what there is");
    }
    return slot;
  }

  private Pool online(String name) {
    Slot slot = slot(name);
    Pool pool = slot.pool;
    if (pool == null) {
      throw new RemoraException(Status.NOT_FOUND, "pool " + name + " is not open: " + slot.reason);
    }
    return pool;
  }

  /** A disk that an open pool lies on must not be opened a second time. */
  private void checkUnused(List<Path> paths) {
    for (Slot slot : slots.values()) {
      for (Path path : slot.pool == null ? List.<Path>of() : slot.entry.paths()) {
        if (paths.contains(path)) {
          throw new RemoraException(Status.EXISTS, path + " belongs to pool " + slot.entry.name() + " of this node");
        }
      }
    }
  }

  private @Nullable Volume known(UUID uuid) {
    for (Slot slot : slots.values()) {
      Pool pool = slot.pool;
      if (pool != null && pool.volume(uuid).isPresent()) {
        return pool.volume(uuid).get();
      }
    }
    return null;
  }

  private UUID randomUuid() {
    return new UUID((loop.random().nextLong() & ~0xF000L) | 0x4000L,
        (loop.random().nextLong() >>> 2) | 0x8000_0000_0000_0000L);
  }

  private static PoolInfo info(Slot slot) {
    Pool pool = slot.pool;
    List<Path> paths = slot.entry.paths();
    if (pool == null) {
      return new PoolInfo(slot.entry.name(), slot.entry.uuid(), paths, State.FAULTED, slot.reason, PoolInfo.Space.NONE,
          0);
    }
    List<String> reasons = new ArrayList<>(pool.failure().stream().toList());
    if (reasons.isEmpty() && pool.damaged()) {
      reasons.addAll(pool.problems());
    }
    reasons.addAll(pool.warnings());
    String reason = String.join("; ", reasons);
    Usage usage = pool.usage();
    State state = pool.failure().isPresent() ? State.READ_ONLY : reason.isEmpty() ? State.ONLINE : State.DEGRADED;
    return new PoolInfo(pool.name(), pool.uuid(), pool.paths(), state, reason,
        new PoolInfo.Space(pool.clusterBytes(), usage.capacityBytes(), usage.usedBytes(), usage.reservedBytes(),
            usage.availableBytes()),
        pool.volumes().size());
  }

  private static VolumeInfo info(Volume volume) {
    return new VolumeInfo(volume.name(), volume.uuid(), volume.pool().name(), volume.sizeBytes(), volume.blockSize(),
        volume.thin(), volume.pool().usage(volume).usedBytes(), null);
  }
}
