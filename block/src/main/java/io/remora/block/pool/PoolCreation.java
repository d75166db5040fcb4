package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.Crc32c;
import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Makes a pool. The primary's label is written last: until then there is none. On the pool's loop. */
final class PoolCreation {
  private final Loop loop;
  private final PoolConfig config;
  private final List<DiskFile> files = new ArrayList<>();

  private PoolCreation(Loop loop, PoolConfig config) {
    this.loop = loop;
    this.config = config;
  }

  static CompletableFuture<Pool> run(Loop loop, PoolConfig config) {
    Check.that(loop.inLoop(), "pool %s is to belong to loop %s", config.name(), loop.name());
    PoolCreation creation = new PoolCreation(loop, config);
    try {
      return creation.create().whenComplete((_, failure) -> {
        if (failure != null) {
          creation.files.forEach(DiskFile::close);
        }
      });
    } catch (RemoraException e) {
      creation.files.forEach(DiskFile::close);
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Opens a disk that is to become a member, extended to its size. */
  static DiskFile open(Loop loop, PoolConfig.DiskSpec spec) {
    DiskFile file = loop.disk().open(spec.path(), spec.sizeBytes() > 0 ? Disk.Mode.CREATE : Disk.Mode.WRITE);
    try {
      if (file.sizeBytes() < spec.sizeBytes()) {
        file.grow(Layout.alignUp(spec.sizeBytes(), file.blockSize()));
      }
      return file;
    } catch (RemoraException e) {
      file.close();
      throw e;
    }
  }

  static UUID randomUuid(Loop loop) {
    long high = (loop.random().nextLong() & ~0xF000L) | 0x4000L;
    long low = (loop.random().nextLong() >>> 2) | 0x8000_0000_0000_0000L;
    return new UUID(high, low);
  }

  /**
   * What the disk's labels forbid: EXISTS when it belongs to another pool. Else the sequence from which a new label counts, so
   * that it wins over whatever old copy is left.
   */
  static CompletableFuture<Long> checkBlank(DiskFile file, boolean force) {
    Crc32c crc = new Crc32c();
    return LabelReader.read(file, crc).thenApply(found -> {
      String what = found.describe();
      if (!force && what != null) {
        throw new RemoraException(Status.EXISTS,
            file.path() + " holds " + what + "; destroy that first, or force it");
      }
      return found.sequence();
    });
  }

  private CompletableFuture<Pool> create() {
    for (PoolConfig.DiskSpec spec : config.disks()) {
      files.add(open(loop, spec));
    }
    Pool pool = new Pool(loop, config.name(), config.uuid(), config.clusterBytes(), loop.clock().wallMillis());
    List<UUID> members = files.stream().map(_ -> randomUuid(loop)).toList();
    pool.members(members);
    CompletableFuture<Void> checked = CompletableFuture.completedFuture(null);
    for (int i = 0; i < files.size(); i++) {
      int index = i;
      checked = checked.thenCompose(_ -> checkBlank(files.get(index), config.force())).thenAccept(sequence -> {
        DiskFile file = files.get(index);
        PoolDisk disk = new PoolDisk(pool, file, members.get(index), index, sequence);
        pool.addDisk(disk);
        pool.addRegion(disk, RegionShape.plan(Layout.FIRST_REGION, file.sizeBytes(), config.clusterBytes(),
            loop.random().nextLong(), file.createdEmpty()));
      });
    }
    return checked.thenCompose(_ -> writeLabels(pool, files.size() - 1)).thenApply(_ -> pool);
  }

  private static CompletableFuture<Void> writeLabels(Pool pool, int index) {
    CompletableFuture<Void> written = pool.disk(index).writeLabel();
    return index == 0 ? written : written.thenCompose(_ -> writeLabels(pool, index - 1));
  }
}
