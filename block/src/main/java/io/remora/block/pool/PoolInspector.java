package io.remora.block.pool;

import io.remora.base.Crc32c;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.block.pool.Finding.Severity;
import io.remora.block.pool.FoundPool.FoundDisk;
import io.remora.block.pool.PoolInspection.Member;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Inspects one pool: its labels against each other, then slots and tables. Knows nothing of {@link PoolImport}: what both say can
 * be compared. On the loop.
 */
final class PoolInspector {
  private final Crc32c crc;
  private final List<Member> members;
  private final PoolInspection.Progress progress;
  private final FoundPool pool;
  private final ClusterCheck clusters;
  private long doneBytes;
  private long totalBytes;

  PoolInspector(Loop loop, Crc32c crc, List<Member> found, PoolInspection.Progress progress) {
    this.crc = crc;
    this.members = found.stream().sorted(Comparator.comparingInt(member -> member.label().diskIndex())).toList();
    this.progress = progress;
    Member primary = primary();
    this.pool = new FoundPool(loop, (primary == null ? members.getFirst() : primary).label());
    this.clusters = new ClusterCheck(pool);
  }

  private @Nullable Member primary() {
    Member best = null;
    for (Member member : members) {
      Label label = member.label();
      if (label.diskIndex() == 0 && label.diskUuid().equals(label.primaryUuid())
          && (best == null || label.sequence() > best.label().sequence())) {
        best = member;
      }
    }
    return best;
  }

  CompletableFuture<FoundPool> run() {
    List<UUID> named = disks();
    for (Member member : members) {
      if (accept(member, named)) {
        checkCopies(member);
        addRegions(member);
      }
    }
    for (FoundRegion region : pool.regions()) {
      totalBytes += 2L * Layout.PAGE_BYTES * (region.slotsUsed() + region.tableUsed());
    }
    CompletableFuture<Void> done = CompletableFuture.completedFuture(null);
    for (FoundRegion region : pool.regions()) {
      done = done.thenCompose(_ -> read(region, Sectors.SLOT, region.slotsUsed()));
    }
    for (FoundRegion region : pool.regions()) {
      done = done.thenCompose(_ -> read(region, Sectors.TABLE, region.tableUsed()));
    }
    return done.thenApply(_ -> {
      clusters.finish();
      return pool;
    });
  }

  /** The identities of the disks as the primary has them; without the primary, what the others say of themselves. */
  private List<UUID> disks() {
    Member primary = primary();
    if (primary != null) {
      List<UUID> named = primary.label().disks();
      for (int i = 0; i < named.size(); i++) {
        UUID uuid = named.get(i);
        Optional<Member> there = members.stream().filter(each -> each.label().diskUuid().equals(uuid)).findFirst();
        pool.add(new FoundDisk(i, Optional.of(uuid), there.map(each -> each.file().path())));
        if (there.isEmpty()) {
          pool.beBlind();
          pool.note(Severity.LOST, pool, "disk %d (%s) is missing: name it too", i, uuid);
        }
      }
      return named;
    }
    Label any = members.getFirst().label();
    pool.beBlind();
    pool.note(Severity.LOST, pool, "disk 0 (%s), the primary, is missing, which knows how many disks there are: "
        + "name it too", any.primaryUuid());
    pool.add(new FoundDisk(0, Optional.of(any.primaryUuid()), Optional.empty()));
    List<UUID> named = new ArrayList<>();
    int next = 1;
    for (Member member : members) {
      for (; next < member.label().diskIndex(); next++) {
        pool.note(Severity.LOST, pool, "disk %d is missing", next);
        pool.add(new FoundDisk(next, Optional.empty(), Optional.empty()));
      }
      pool.add(new FoundDisk(member.label().diskIndex(), Optional.of(member.label().diskUuid()),
          Optional.of(member.file().path())));
      named.add(member.label().diskUuid());
      next = member.label().diskIndex() + 1;
    }
    return named;
  }

  /** Whether the disk's regions are the pool's. */
  private boolean accept(Member member, List<UUID> named) {
    Label label = member.label();
    if (!named.contains(label.diskUuid())) {
      pool.note(Severity.SETTLES, member.file().path(), "was never added to pool '%s' wholly: leave it out",
          pool.name());
      return false;
    }
    for (Member other : members) {
      if (other == member) {
        break;
      }
      if (other.label().diskUuid().equals(label.diskUuid())) {
        pool.note(Severity.LOST, member.file().path(), "claims to be the same disk as %s and is left out", other.file()
            .path());
        return false;
      }
    }
    boolean agrees = label.clusterBytes() == pool.clusterBytes()
        && (primary() == null || named.indexOf(label.diskUuid()) == label.diskIndex());
    if (!agrees) {
      pool.beBlind();
      pool.note(Severity.LOST, member.file().path(), "its label does not agree with the primary's");
    }
    return agrees;
  }

  private void checkCopies(Member member) {
    LabelReader.Copies copies = member.copies();
    if (copies.equal()) {
      return;
    }
    boolean both = copies.first() instanceof Label.Found.Valid && copies.second() instanceof Label.Found.Valid;
    String why = copies.complaint();
    pool.note(both ? Severity.SETTLES : Severity.REPAIRABLE, member.file().path(), "%s",
        both
            ? "one copy of the label is older than the other"
            : "one copy of the label is not usable: " + (why == null ? "there is none" : why));
  }

  private void addRegions(Member member) {
    long end = Layout.FIRST_REGION;
    String path = member.file().path().toString();
    for (int i = 0; i < member.label().regions().size(); i++) {
      Label.RegionEntry entry = member.label().regions().get(i);
      int number = i;
      RegionShape shape = entry.shape();
      try {
        shape.check(pool.clusterBytes(), end, path);
      } catch (RemoraException e) {
        pool.beBlind();
        pool.note(Severity.LOST, path, "the label describes an impossible region: %s", shape);
        return;
      }
      end = shape.end();
      if (end > member.file().sizeBytes()) {
        pool.note(Severity.LOST, path, "ends at %d bytes, its label says that it has at least %d",
            member.file().sizeBytes(), end);
      }
      if (pool.nextBase() + (long) shape.clusters() > Layout.MAX_CLUSTERS || entry.tableUsed() < 0
          || entry.tableUsed() > shape.tablePages() || entry.slotsUsed() < 0
          || entry.slotsUsed() > shape.slotPages()) {
        pool.beBlind();
        pool.note(Severity.LOST, path, "the label says that more is in use than there is");
        return;
      }
      pool.add(new FoundRegion(member.file(), shape, entry.tableUsed(), entry.slotsUsed(), pool.nextBase(),
          member.label().moves().stream().filter(move -> move.region() == number).toList()));
    }
  }

  private CompletableFuture<Void> read(FoundRegion region, byte kind, int used) {
    AreaPlace place = region.place(kind);
    long before = doneBytes;
    return new AreaReader(place, new Sectors(kind, region.shape().tag(), crc), used, pair -> {
      checkSectors(place, pair);
      if (kind == Sectors.SLOT) {
        clusters.addSlots(region, pair);
      } else {
        clusters.addEntries(region, pair);
      }
      doneBytes = Math.max(doneBytes, before + 2L * Layout.PAGE_BYTES * (pair.index() + 1));
      progress.at(doneBytes, totalBytes);
    }).read().thenRun(() -> doneBytes = before + 2L * Layout.PAGE_BYTES * used);
  }

  private void checkSectors(AreaPlace place, PagePair pair) {
    for (int i = 0; i < Layout.SECTORS_PER_PAGE && (pair.uneven() || pair.conflicts() != 0); i++) {
      int bit = 1 << i;
      long number = (long) pair.index() * Layout.SECTORS_PER_PAGE + i;
      boolean first = (pair.broken(0) & bit) != 0;
      boolean second = (pair.broken(1) & bit) != 0;
      if (first && second) {
        pool.note(Severity.LOST, place.file.path(), "sector %d of the %s is broken in both copies", number,
            place.what());
      } else if (first || second) {
        pool.note(Severity.REPAIRABLE, place.file.path(), "sector %d of the %s is broken in its %s copy", number,
            place.what(), first ? "first" : "second");
      } else if (((pair.older(0) | pair.older(1)) & bit) != 0) {
        pool.note(Severity.SETTLES, place.file.path(), "sector %d of the %s is older in its %s copy", number,
            place.what(), (pair.older(0) & bit) != 0 ? "first" : "second");
      } else if ((pair.conflicts() & bit) != 0) {
        pool.note(Severity.REPAIRABLE, place.file.path(),
            "both copies of sector %d of the %s hold, and differ; the first "
                + "counts",
            number, place.what());
      }
    }
  }
}
