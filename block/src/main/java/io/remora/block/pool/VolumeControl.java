package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** What is done to volumes; each is one sector's write, so it happens wholly or not at all. On the pool's loop, one at a time. */
final class VolumeControl {
  private final Pool pool;

  VolumeControl(Pool pool) {
    this.pool = pool;
  }

  CompletableFuture<Volume> create(VolumeSpec spec) {
    pool.checkWritable();
    VolumeRecord record = record(spec);
    record.check();
    checkSize(spec.name(), record.sizeBytes(), record.blockSize());
    if (pool.volume(spec.uuid()).isPresent() || pool.volume(spec.name()).isPresent()) {
      throw new RemoraException(Status.EXISTS, "pool %s has a volume %s (%s) already".formatted(pool.name(),
          spec.name(), spec.uuid()));
    }
    long reserve = spec.thin() ? 0 : (record.sizeBytes() + pool.clusterBytes() - 1) / pool.clusterBytes();
    return reserve(spec.name(), reserve).thenCompose(_ -> findSlot()).thenCompose(place -> {
      Region region = place.region;
      Volume volume = new Volume(pool, region, place.slot, record);
      region.usedSlots.set(place.slot);
      return writeSlot(volume, record).thenApply(_ -> {
        pool.add(volume);
        return volume;
      });
    }).whenComplete((_, failure) -> {
      if (failure != null) {
        pool.space().addReserved(-reserve);
      }
    });
  }

  private VolumeRecord record(VolumeSpec spec) {
    int blockSize = spec.blockSize() != 0 ? spec.blockSize() : spec.sizeBytes() % 4096 == 0 ? 4096 : pool.blockSize();
    Check.argument(blockSize >= pool.blockSize() && blockSize <= 4096 && Integer.bitCount(blockSize) == 1,
        "volume %s: block size %d is no power of two from %d (the disks') to 4096", spec.name(), blockSize,
        pool.blockSize());
    return new VolumeRecord(pool.takeNumber(), spec.uuid(), spec.name(), spec.sizeBytes(), blockSize, spec.thin(),
        pool.loop().clock().wallMillis(), spec.properties());
  }

  private void checkSize(String name, long sizeBytes, int blockSize) {
    Check.argument(sizeBytes > 0 && sizeBytes % blockSize == 0,
        "volume %s: size %d is no positive multiple of the block size %d", name, sizeBytes, blockSize);
    Check.argument((sizeBytes - 1) / pool.clusterBytes() < Layout.MAX_CLUSTERS,
        "volume %s: %d bytes are more than %d clusters of %d bytes", name, sizeBytes, Layout.MAX_CLUSTERS,
        pool.clusterBytes());
  }

  /** What is freed has to be so durably before it is reserved: else a power loss could bring it back. */
  private CompletableFuture<Void> reserve(String name, long clusters) {
    if (clusters == 0) {
      return CompletableFuture.completedFuture(null);
    }
    if (!pool.space().fits(clusters)) {
      throw new RemoraException(Status.NO_SPACE, "volume %s: %d bytes cannot be reserved, %d are available in pool %s"
          .formatted(name, clusters * pool.clusterBytes(), pool.usage().availableBytes(), pool.name()));
    }
    pool.space().addReserved(clusters);
    return pool.settle();
  }

  private record Place(Region region, int slot) {}

  private CompletableFuture<Place> findSlot() {
    for (Region region : pool.regions()) {
      int slot = region.freeSlot();
      if (slot >= 0) {
        return CompletableFuture.completedFuture(new Place(region, slot));
      }
    }
    for (Region region : pool.regions()) {
      int pages = region.nextSlotPages();
      if (pages > 0) {
        int from = region.slotsUsed;
        return pool.extend(region.slots, region, from, pages, () -> region.slotsUsed = from + pages)
            .thenApply(_ -> new Place(region, region.freeSlot()));
      }
    }
    throw new RemoraException(Status.NO_RESOURCES,
        "pool %s has no room for more than its %d volumes: grow it".formatted(pool.name(), pool.volumes().size()));
  }

  /** Makes {@code record} the durable truth about {@code volume}. */
  private CompletableFuture<Void> writeSlot(Volume volume, VolumeRecord record) {
    Page page = volume.region().slotPage(volume.slot());
    record.encode(page.image(), sectorAt(volume));
    return writeSlot(volume, page);
  }

  private static CompletableFuture<Void> writeSlot(Volume volume, Page page) {
    MetaArea slots = volume.region().slots;
    slots.changed(page, volume.slot() % Layout.SECTORS_PER_PAGE);
    return slots.written(page).thenCompose(_ -> slots.disk.flush());
  }

  private static long sectorAt(Volume volume) {
    return (long) volume.slot() % Layout.SECTORS_PER_PAGE * Layout.SECTOR_BYTES;
  }

  private void checkPresent(Volume volume) {
    pool.checkWritable();
    if (pool.volume(volume.uuid()).orElse(null) != volume) {
      throw new RemoraException(Status.NOT_FOUND, "volume " + volume + " is not in pool " + pool.name());
    }
  }

  CompletableFuture<Void> setProperties(Volume volume, Map<String, String> properties) {
    checkPresent(volume);
    VolumeRecord record = volume.record().withProperties(Map.copyOf(properties));
    record.check();
    return writeSlot(volume, record).thenRun(() -> volume.record(record));
  }

  CompletableFuture<Void> resize(Volume volume, long sizeBytes) {
    checkPresent(volume);
    checkSize(volume.name(), sizeBytes, volume.blockSize());
    if (sizeBytes == volume.sizeBytes()) {
      return CompletableFuture.completedFuture(null);
    }
    return sizeBytes > volume.sizeBytes() ? enlarge(volume, sizeBytes) : shrink(volume, sizeBytes);
  }

  /** Bytes behind the old end, in its last cluster, may hold what an earlier, larger size had there: they become zeros first. */
  private CompletableFuture<Void> enlarge(Volume volume, long sizeBytes) {
    long more = volume.thin() ? 0 : volume.clusters(sizeBytes) - volume.clusters();
    VolumeRecord record = volume.record().withSize(sizeBytes);
    return reserve(volume.name(), more).thenCompose(_ -> zeroTail(volume)).thenCompose(_ -> writeSlot(volume, record))
        .thenRun(() -> {
          volume.map().resize(volume.clusters(sizeBytes));
          volume.record(record);
        }).whenComplete((_, failure) -> {
          if (failure != null) {
            pool.space().addReserved(-more);
          }
        });
  }

  private CompletableFuture<Void> zeroTail(Volume volume) {
    long inCluster = volume.sizeBytes() % pool.clusterBytes();
    if (inCluster == 0) {
      return CompletableFuture.completedFuture(null);
    }
    return pool.still(volume).thenCompose(_ -> {
      int cluster = volume.map().get(volume.sizeBytes() / pool.clusterBytes());
      if (cluster < 0) {
        return CompletableFuture.<Void>completedFuture(null);
      }
      Region region = pool.regionOf(cluster);
      return region.disk.zero(region.offset(cluster - region.base, pool.clusterBytes()) + inCluster,
          pool.clusterBytes() - inCluster).thenCompose(_ -> region.disk.flush());
    }).whenComplete((_, _) -> volume.letGo());
  }

  /** Ends only when the clusters beyond the new end are free durably, so that a later growth cannot bring them back. */
  private CompletableFuture<Void> shrink(Volume volume, long sizeBytes) {
    VolumeRecord record = volume.record().withSize(sizeBytes);
    long less = volume.thin() ? 0 : volume.clusters() - volume.clusters(sizeBytes);
    return pool.still(volume).thenCompose(_ -> writeSlot(volume, record)).thenCompose(_ -> {
      List<CompletableFuture<?>> pages = release(volume, volume.clusters(sizeBytes));
      pool.space().addReserved(-less);
      volume.map().resize(volume.clusters(sizeBytes));
      volume.record(record);
      return CompletableFuture.allOf(pages.toArray(CompletableFuture[]::new));
    }).whenComplete((_, _) -> volume.letGo()).thenCompose(_ -> pool.settle());
  }

  /** Frees the clusters of {@code volume} from {@code logical} on. */
  private List<CompletableFuture<?>> release(Volume volume, long logical) {
    List<CompletableFuture<?>> pages = new ArrayList<>();
    Page last = null;
    for (long at = volume.map().next(logical); at >= 0; at = volume.map().next(at + 1)) {
      int cluster = volume.map().get(at);
      Region region = pool.regionOf(cluster);
      pool.unmap(volume, at);
      Page page = region.pageOf(cluster - region.base);
      if (page != last) {
        pages.add(region.table.written(page));
      }
      last = page;
    }
    return pages;
  }

  CompletableFuture<Void> delete(Volume volume) {
    checkPresent(volume);
    if (!volume.removeIfUnused()) {
      throw new RemoraException(Status.BUSY,
          "volume %s is in use by %d channels".formatted(volume.name(), volume.openChannels()));
    }
    return pool.still(volume).thenCompose(_ -> {
      Page page = volume.region().slotPage(volume.slot());
      VolumeRecord.encodeDeleted(page.image(), sectorAt(volume), volume.record().number());
      return writeSlot(volume, page);
    }).thenRun(() -> {
      long reserved = volume.thin() ? 0 : volume.clusters();
      release(volume, 0);
      pool.space().addReserved(-reserved);
      volume.region().usedSlots.clear(volume.slot());
      pool.forget(volume);
      volume.remove(Status.NOT_FOUND);
    }).whenComplete((_, failure) -> {
      if (failure != null) {
        volume.keep();
      }
      volume.letGo();
    });
  }
}
