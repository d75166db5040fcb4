package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.DiskFile;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Makes a pool larger; nothing that is there moves. On the pool's loop, one operation at a time. */
final class PoolGrowth {
  private final Pool pool;

  PoolGrowth(Pool pool) {
    this.pool = pool;
  }

  CompletableFuture<Void> grow() {
    pool.checkWritable();
    CompletableFuture<Void> grown = CompletableFuture.completedFuture(null);
    for (int i = 0; i < pool.diskCount(); i++) {
      PoolDisk disk = pool.disk(i);
      long end = disk.file().refreshSize();
      grown = grown.thenCompose(_ -> append(disk, end(disk), end, false));
    }
    return grown.thenRun(this::kick);
  }

  CompletableFuture<Void> grow(Path path, long sizeBytes) {
    pool.checkWritable();
    for (int i = 0; i < pool.diskCount(); i++) {
      PoolDisk disk = pool.disk(i);
      if (disk.path().normalize().equals(path.normalize())) {
        long before = disk.file().refreshSize();
        Check.argument(sizeBytes >= before, "%s has %d bytes already", path, before);
        disk.file().grow(Layout.alignUp(sizeBytes, disk.file().blockSize()));
        // What this call has added is zeros; what somebody else has added before need not be.
        boolean onlyOurs = before - end(disk) < Layout.PAGE_BYTES;
        long from = onlyOurs ? Math.max(before, end(disk)) : end(disk);
        return append(disk, from, disk.file().sizeBytes(), onlyOurs).thenRun(this::kick);
      }
    }
    throw new RemoraException(Status.NOT_FOUND, path + " is no disk of pool " + pool.name());
  }

  private static long end(PoolDisk disk) {
    return disk.regions().getLast().shape.end();
  }

  private CompletableFuture<Void> append(PoolDisk disk, long from, long end, boolean bornZero) {
    if (end - from < pool.clusterBytes() + 2L * (Layout.MIN_SLOT_PAGES + 2) * Layout.PAGE_BYTES
        + Math.min(pool.clusterBytes(), 1 << 20)) {
      return CompletableFuture.completedFuture(null);
    }
    if (disk.regions().size() == Layout.MAX_REGIONS) {
      throw new RemoraException(Status.NO_RESOURCES,
          disk.path() + " has been grown " + (Layout.MAX_REGIONS - 1) + " times; add another disk");
    }
    long tag = pool.loop().random().nextLong();
    RegionShape shape = RegionShape.plan(from, end, pool.clusterBytes(), tag, bornZero);
    pool.checkRoomFor(shape);
    disk.coming(shape);
    // Its clusters count when it is there durably: else a power loss would take what was given away on the strength of them.
    return disk.updateLabel().thenRun(() -> {
      disk.coming(null);
      pool.addRegion(disk, shape);
    });
  }

  CompletableFuture<Void> add(PoolConfig.DiskSpec spec, boolean force) {
    pool.checkWritable();
    if (pool.diskCount() == Layout.MAX_DISKS) {
      throw new RemoraException(Status.NO_RESOURCES, "pool " + pool.name() + " has " + Layout.MAX_DISKS + " disks");
    }
    if (pool.paths().stream().anyMatch(path -> path.normalize().equals(spec.path().normalize()))) {
      throw new RemoraException(Status.EXISTS, spec.path() + " is a disk of pool " + pool.name() + " already");
    }
    DiskFile file = PoolCreation.open(pool.loop(), spec);
    UUID uuid = PoolCreation.randomUuid(pool.loop());
    return PoolCreation.checkBlank(file, force).thenCompose(sequence -> join(file, uuid, sequence))
        .whenComplete((_, failure) -> {
          if (failure != null) {
            file.close();
          }
        });
  }

  /** The new disk's label first; the primary's, which names it, makes it a member. */
  private CompletableFuture<Void> join(DiskFile file, UUID uuid, long sequence) {
    for (Volume volume : pool.volumes()) {
      Check.argument(file.blockSize() <= volume.blockSize(),
          "%s has blocks of %d bytes, volume %s smaller ones of %d", file.path(), file.blockSize(), volume.name(),
          volume.blockSize());
    }
    PoolDisk disk = new PoolDisk(pool, file, uuid, pool.diskCount(), sequence);
    RegionShape shape = RegionShape.plan(Layout.FIRST_REGION, file.sizeBytes(), pool.clusterBytes(),
        pool.loop().random().nextLong(), file.createdEmpty());
    pool.checkRoomFor(shape);
    disk.coming(shape);
    List<UUID> members = new ArrayList<>(pool.members());
    return disk.writeLabel().thenCompose(_ -> {
      members.add(uuid);
      pool.members(members);
      return pool.disk(0).updateLabel();
    }).thenRun(() -> {
      disk.coming(null);
      pool.addRegion(disk, shape);
      pool.addDisk(disk);
      kick();
    });
  }

  /** Somebody may be waiting for clusters. */
  private void kick() {
    for (int i = 0; i < pool.diskCount(); i++) {
      pool.disk(i).cleaner().kick();
    }
  }
}
