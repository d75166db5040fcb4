package io.remora.block.pool;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Makes maps and counts from what is on the disks. On the pool's loop.
 *
 * <p>Nothing is believed but the table and the slots: a cluster whose volume is gone, or lies beyond its volume's end, is free; of two
 * clusters that claim the same place the one mapped later holds (the other was freed, and a power loss took the record of that).
 */
final class PoolLoad {
  private final Pool pool;
  private final Map<Integer, Volume> byNumber = new HashMap<>();
  private int damagedSectors;
  private int damagedSlots;
  private long orphans;
  private @Nullable Volume lastVolume;

  PoolLoad(Pool pool) {
    this.pool = pool;
  }

  CompletableFuture<Void> run() {
    CompletableFuture<Void> loaded = CompletableFuture.completedFuture(null);
    for (Region region : pool.regions()) {
      loaded = loaded.thenCompose(_ -> loadSlots(region));
    }
    for (Region region : pool.regions()) {
      loaded = loaded.thenCompose(_ -> loadTable(region));
    }
    return loaded.thenRun(this::count);
  }

  private CompletableFuture<Void> loadSlots(Region region) {
    return new AreaLoader(pool, region.slots, region.slotsUsed, (page, content, damaged) -> {
      for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
        int slot = page.index * Layout.SECTORS_PER_PAGE + i;
        if ((damaged & 1 << i) != 0) {
          region.damagedSlots.set(slot);
          region.usedSlots.set(slot);
          damagedSlots++;
        } else {
          addVolume(region, slot, content, (long) i * Layout.SECTOR_BYTES);
        }
      }
    }).load();
  }

  private void addVolume(Region region, int slot, MemorySegment content, long at) {
    pool.sawNumber(VolumeRecord.number(content, at));
    if (VolumeRecord.state(content, at) != VolumeRecord.USED) {
      return;
    }
    region.usedSlots.set(slot);
    VolumeRecord record = VolumeRecord.decode(content, at);
    if (record == null || record.blockSize() < pool.blockSize()
        || (record.sizeBytes() - 1) / pool.clusterBytes() >= Layout.MAX_CLUSTERS
        || byNumber.containsKey(record.number())
        || pool.volume(record.uuid()).isPresent() || pool.volume(record.name()).isPresent()) {
      region.damagedSlots.set(slot);
      damagedSlots++;
      pool.addProblem("%s: volume slot %d holds what makes no sense: %s".formatted(region.disk.path(), slot, record));
      return;
    }
    Volume volume = new Volume(pool, region, slot, record);
    byNumber.put(record.number(), volume);
    pool.add(volume);
  }

  private CompletableFuture<Void> loadTable(Region region) {
    return new AreaLoader(pool, region.table, region.tableUsed,
        (page, content, damaged) -> addEntries(region, page, content, damaged)).load().thenRun(() -> {
          for (int index = 0; index < region.tableUsed; index++) {
            if (region.table.find(index) == null && region.clustersIn(index) < region.clustersIn(index + 1)) {
              region.stale.set(region.clustersIn(index), region.clustersIn(index + 1));
            }
          }
        });
  }

  private void addEntries(Region region, Page page, MemorySegment content, int damaged) {
    for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
      int sector = page.index * Layout.SECTORS_PER_PAGE + i;
      int first = region.clustersIn(page.index) + i * Layout.ENTRIES_PER_SECTOR;
      int end = Math.min(first + Layout.ENTRIES_PER_SECTOR, region.clustersIn(page.index + 1));
      if ((damaged & 1 << i) != 0) {
        region.damagedTable.set(sector);
        damagedSectors++;
        pool.addDamaged(Math.max(0, end - first));
      } else {
        for (int cluster = first; cluster < end; cluster++) {
          addEntry(region, cluster, content, Entry.at(cluster % Layout.ENTRIES_PER_PAGE));
        }
      }
    }
  }

  private void addEntry(Region region, int cluster, MemorySegment content, long at) {
    switch (Entry.state(content, at)) {
      case Entry.VIRGIN, Entry.FREE -> region.stale.set(cluster);
      case Entry.FREED -> region.freed.set(cluster);
      case Entry.MAPPED -> addMapped(region, cluster, content, at);
      case Entry.BAD -> pool.addDamaged(1);
      default -> throw new RemoraException(Status.UNSUPPORTED,
          "%s: cluster %d has a state that this program does not know: %d".formatted(region.disk.path(), cluster,
              Entry.state(content, at)));
    }
  }

  private void addMapped(Region region, int cluster, MemorySegment content, long at) {
    int number = Entry.volume(content, at);
    long logical = Entry.logical(content, at);
    pool.sawNumber(number);
    Volume volume = volume(number);
    if (volume == null && damagedSlots > 0) {
      orphans++;
      region.orphans.set(cluster);
      pool.addDamaged(1);
      return;
    }
    if (volume == null || logical >= volume.clusters()) {
      region.free(cluster);
      return;
    }
    int other = volume.map().get(logical);
    if (other < 0) {
      volume.map().put(logical, region.base + cluster);
      pool.space().addMapped();
      return;
    }
    Region otherRegion = pool.regionOf(other);
    int inOther = other - otherRegion.base;
    int otherStamp = Entry.stamp(otherRegion.pageOf(inOther).image(), Entry.at(inOther % Layout.ENTRIES_PER_PAGE));
    if (Entry.stamp(content, at) - otherStamp > 0) {
      volume.map().remove(logical);
      volume.map().put(logical, region.base + cluster);
      otherRegion.free(inOther);
    } else {
      region.free(cluster);
    }
  }

  private @Nullable Volume volume(int number) {
    Volume last = lastVolume;
    if (last != null && last.record().number() == number) {
      return last;
    }
    lastVolume = byNumber.get(number);
    return lastVolume;
  }

  private void count() {
    for (Volume volume : pool.volumes()) {
      pool.space().addReserved(volume.reserved());
    }
    List<String> lost = new ArrayList<>();
    if (damagedSectors > 0) {
      lost.add("what up to %d clusters hold is not known".formatted(damagedSectors * Layout.ENTRIES_PER_SECTOR));
      pool.lostLimit(pool.lastNumber());
    }
    if (damagedSlots > 0) {
      lost.add("up to %d volumes are lost, and %d clusters seem to be theirs".formatted(damagedSlots, orphans));
      pool.keepsOrphans(true);
    }
    if (!lost.isEmpty()) {
      pool.addProblem(String.join("; ", lost) + ". Save what can be saved, then accept the damage");
    }
  }
}
