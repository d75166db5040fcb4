package io.remora.block.pool;

import io.remora.base.RemoraException;
import io.remora.block.pool.Finding.Severity;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Finds out, for an inspection, which volumes there are and which cluster is whose, and cross-checks it. On the loop. */
final class ClusterCheck {
  private final FoundPool pool;
  private final Map<Integer, FoundVolume> byNumber = new HashMap<>();
  private final Set<UUID> uuids = new HashSet<>();
  private final Set<String> names = new HashSet<>();
  private boolean slotsLost;
  private long strays;
  private long orphans;
  private @Nullable FoundVolume last;
  /** Cluster of the pool and stamp of each mapped entry, to decide between two that claim the same place. */
  private long[] stamps = {};
  private int stampCount;

  ClusterCheck(FoundPool pool) {
    this.pool = pool;
  }

  void addSlots(FoundRegion region, PagePair page) {
    for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
      long slot = (long) page.index() * Layout.SECTORS_PER_PAGE + i;
      if ((page.lost() & 1 << i) != 0) {
        slotsLost = true;
        pool.beBlind();
      } else {
        addSlot(region, slot, page.content(), (long) i * Layout.SECTOR_BYTES);
      }
    }
  }

  private void addSlot(FoundRegion region, long slot, MemorySegment content, long at) {
    switch (VolumeRecord.state(content, at)) {
      case VolumeRecord.EMPTY, VolumeRecord.DELETED -> {
      }
      case VolumeRecord.USED -> {
        VolumeRecord record = VolumeRecord.decode(content, at);
        boolean sane = record != null && (record.sizeBytes() - 1) / pool.clusterBytes() < Layout.MAX_CLUSTERS
            && !byNumber.containsKey(record.number()) && !uuids.contains(record.uuid()) && !names.contains(record
                .name());
        if (record == null || !sane) {
          slotsLost = true;
          pool.note(Severity.LOST, region.file().path(), "volume slot %d holds what makes no sense: %s", slot,
              String.valueOf(record));
          return;
        }
        FoundVolume volume = new FoundVolume(pool, record);
        byNumber.put(record.number(), volume);
        uuids.add(record.uuid());
        names.add(record.name());
        pool.add(volume);
      }
      default -> pool.note(Severity.LOST, region.file().path(),
          "volume slot %d has a state that this program does not know", slot);
    }
  }

  void addEntries(FoundRegion region, PagePair page) {
    MemorySegment content = page.content();
    int firstOfPage = region.clustersIn(page.index());
    int end = region.clustersIn(page.index() + 1);
    for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
      int first = Math.min(end, firstOfPage + i * Layout.ENTRIES_PER_SECTOR);
      int next = Math.min(end, first + Layout.ENTRIES_PER_SECTOR);
      if ((page.lost() & 1 << i) != 0) {
        pool.beBlind();
        pool.count(0, next - first, 0);
        continue;
      }
      for (int cluster = first; cluster < next; cluster++) {
        addEntry(region, cluster, content, Entry.at(cluster % Layout.ENTRIES_PER_PAGE));
      }
    }
  }

  private void addEntry(FoundRegion region, int cluster, MemorySegment content, long at) {
    switch (Entry.state(content, at)) {
      case Entry.VIRGIN, Entry.FREE, Entry.FREED -> {
      }
      case Entry.BAD -> pool.count(0, 0, 1);
      case Entry.MAPPED -> addMapped(region, cluster, content, at);
      default -> pool.note(Severity.LOST, region.file().path(),
          "cluster %d has a state that this program does not know: %d", cluster, Entry.state(content, at));
    }
  }

  private void addMapped(FoundRegion region, int cluster, MemorySegment content, long at) {
    int number = Entry.volume(content, at);
    long logical = Entry.logical(content, at);
    FoundVolume volume = last;
    if (volume == null || volume.record().number() != number) {
      volume = byNumber.get(number);
      last = volume;
    }
    if (volume == null) {
      if (pool.blind() || slotsLost) {
        orphans++;
      } else {
        strays++;
      }
    } else if (logical >= volume.clusterCount()) {
      strays++;
    } else {
      volume.clusters().add(logical, region.base() + cluster);
      if (stampCount == stamps.length) {
        stamps = Arrays.copyOf(stamps, Math.max(64, stampCount + (stampCount >> 1)));
      }
      stamps[stampCount++] = (long) (region.base() + cluster) << 32 | Integer.toUnsignedLong(Entry.stamp(content, at));
    }
  }

  /** All has been read. */
  void finish() {
    Arrays.sort(stamps, 0, stampCount);
    long reserved = 0;
    long mapped = 0;
    for (FoundVolume volume : pool.volumes()) {
      ClusterList clusters = volume.clusters();
      clusters.sort();
      dropOlder(volume, clusters);
      mapped += clusters.count();
      reserved += volume.thin() ? 0 : volume.clusterCount() - clusters.count();
    }
    pool.count(mapped, orphans, 0);
    if (strays > 0) {
      pool.note(Severity.SETTLES, pool,
          "%d clusters of volumes that were deleted or made smaller are not marked free yet",
          strays);
    }
    if (orphans > 0) {
      pool.note(Severity.LOST, pool, "%d clusters belong to volumes whose description is not there", orphans);
    }
    if (!pool.blind() && (mapped + reserved + orphans) * pool.clusterBytes() > pool.totalBytes() - pool.badBytes()) {
      pool.note(Severity.LOST, pool, "%d bytes are reserved for thick volumes that the pool does not have",
          (mapped + reserved) * pool.clusterBytes() - pool.totalBytes() + pool.badBytes());
    }
  }

  /** Of two clusters that claim the same place the one mapped later counts. */
  private void dropOlder(FoundVolume volume, ClusterList clusters) {
    for (int i = 1; i < clusters.count(); i++) {
      if (clusters.logical(i) == clusters.logical(i - 1)) {
        int age = stamp(clusters.cluster(i)) - stamp(clusters.cluster(i - 1));
        if (age == 0) {
          pool.note(Severity.LOST, pool,
              "two clusters claim to be cluster %d of volume %s and are as old as each other",
              clusters.logical(i), volume.name());
        }
        strays++;
        clusters.remove(age > 0 ? i - 1 : i);
        i--;
      }
    }
  }

  private int stamp(int cluster) {
    int at = Arrays.binarySearch(stamps, 0, stampCount, (long) cluster << 32);
    if (at < 0) {
      at = -at - 1;
    }
    if (at == stampCount || (int) (stamps[at] >>> 32) != cluster) {
      throw new RemoraException(io.remora.base.Status.INTERNAL, "no stamp of cluster " + cluster);
    }
    return (int) stamps[at];
  }
}
