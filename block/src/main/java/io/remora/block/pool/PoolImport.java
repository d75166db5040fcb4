package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.Crc32c;
import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Opens a pool: labels, then slots and tables, then what they mean, then repairs. On the pool's loop. */
final class PoolImport {
  private record Member(DiskFile file, LabelReader.Copies copies, Label label) {}

  private final Loop loop;
  private final List<DiskFile> files = new ArrayList<>();

  private PoolImport(Loop loop) {
    this.loop = loop;
  }

  static CompletableFuture<Pool> run(Loop loop, List<Path> paths) {
    Check.that(loop.inLoop(), "the pool is to belong to loop %s", loop.name());
    Check.argument(!paths.isEmpty(), "no disks to import a pool from");
    PoolImport run = new PoolImport(loop);
    try {
      return run.open(paths).whenComplete((_, failure) -> {
        if (failure != null) {
          run.files.forEach(DiskFile::close);
        }
      });
    } catch (RemoraException e) {
      run.files.forEach(DiskFile::close);
      return CompletableFuture.failedFuture(e);
    }
  }

  private CompletableFuture<Pool> open(List<Path> paths) {
    for (Path path : paths) {
      files.add(loop.disk().open(path, Disk.Mode.WRITE));
    }
    Crc32c crc = new Crc32c();
    List<Member> members = new ArrayList<>();
    CompletableFuture<Void> read = CompletableFuture.completedFuture(null);
    for (DiskFile file : files) {
      read = read.thenCompose(_ -> LabelReader.read(file, crc))
          .thenAccept(copies -> members.add(new Member(file, copies, label(file, copies))));
    }
    return read.thenCompose(_ -> assemble(members));
  }

  private static Label label(DiskFile file, LabelReader.Copies copies) {
    Label label = copies.newest();
    if (label != null) {
      return label;
    }
    String complaint = copies.complaint();
    if (complaint == null) {
      throw new RemoraException(Status.NOT_FOUND, file.path() + " holds no pool");
    }
    boolean newer = copies.first() instanceof Label.Found.Newer || copies.second() instanceof Label.Found.Newer;
    throw new RemoraException(newer ? Status.UNSUPPORTED : Status.CORRUPT,
        file.path() + ": the pool's label cannot be read: " + complaint);
  }

  private CompletableFuture<Pool> assemble(List<Member> members) {
    Label first = members.getFirst().label;
    Label primary = primary(members);
    Pool pool = new Pool(loop, primary.poolName(), primary.poolUuid(), primary.clusterBytes(), primary.createdMs());
    pool.members(primary.disks());
    for (int i = 0; i < primary.disks().size(); i++) {
      Member member = find(members, primary.disks().get(i));
      if (member == null) {
        throw new RemoraException(Status.NOT_FOUND, "disk %d (%s) of pool '%s' is missing: name it too".formatted(i,
            primary.disks().get(i), first.poolName()));
      }
      addDisk(pool, member, i);
    }
    if (members.size() > pool.diskCount()) {
      for (Member member : members) {
        Check.argument(primary.disks().contains(member.label.diskUuid()),
            "%s is no member of pool '%s': it was never added wholly; leave it out", member.file.path(),
            first.poolName());
      }
      throw new RemoraException(Status.INVALID, "a disk of pool '" + first.poolName() + "' is named twice");
    }
    CompletableFuture<Void> loaded = new PoolLoad(pool).run();
    return loaded.thenCompose(_ -> repair(pool, members)).thenApply(_ -> {
      for (int i = 0; i < pool.diskCount(); i++) {
        pool.disk(i).cleaner().kick();
      }
      return pool;
    });
  }

  private static Label primary(List<Member> members) {
    Label first = members.getFirst().label;
    Label primary = null;
    for (Member member : members) {
      Label label = member.label;
      Check.argument(label.poolUuid().equals(first.poolUuid()), "%s belongs to pool '%s' (%s), %s to pool '%s' (%s)",
          member.file.path(), label.poolName(), label.poolUuid(), members.getFirst().file.path(), first.poolName(),
          first.poolUuid());
      if (label.diskUuid().equals(label.primaryUuid()) && label.diskIndex() == 0) {
        primary = label;
      }
    }
    if (primary == null) {
      throw new RemoraException(Status.NOT_FOUND, "disk 0 (%s), the primary of pool '%s', is missing: name it too"
          .formatted(first.primaryUuid(), first.poolName()));
    }
    return primary;
  }

  private static @Nullable Member find(List<Member> members, UUID uuid) {
    for (Member member : members) {
      if (member.label.diskUuid().equals(uuid)) {
        return member;
      }
    }
    return null;
  }

  private static void addDisk(Pool pool, Member member, int index) {
    Label label = member.label;
    String where = member.file.path().toString();
    boolean fits = label.diskIndex() == index && label.clusterBytes() == pool.clusterBytes();
    if (!fits) {
      throw new RemoraException(Status.CORRUPT, where + ": its label does not agree with the primary's");
    }
    PoolDisk disk = new PoolDisk(pool, member.file, label.diskUuid(), index, label.sequence());
    pool.addDisk(disk);
    long end = Layout.FIRST_REGION;
    for (Label.RegionEntry entry : label.regions()) {
      RegionShape shape = entry.shape();
      shape.check(pool.clusterBytes(), end, where);
      end = shape.end();
      if (end > member.file.sizeBytes()) {
        throw new RemoraException(Status.CORRUPT,
            where + " has " + member.file.sizeBytes() + " bytes, its label says at least " + end);
      }
      if (entry.tableUsed() < 0 || entry.tableUsed() > shape.tablePages() || entry.slotsUsed() < 0
          || entry.slotsUsed() > shape.slotPages()) {
        throw new RemoraException(Status.CORRUPT, where + ": its label says that more is in use than there is");
      }
      Region region = pool.addRegion(disk, shape);
      region.tableUsed = entry.tableUsed();
      region.slotsUsed = entry.slotsUsed();
    }
    disk.moves().adopt(label.moves());
  }

  /** Writes what has to be mended; when that fails the pool is there, but takes no writes. */
  private static CompletableFuture<Void> repair(Pool pool, List<Member> members) {
    CompletableFuture<Void> repaired = pool.settle();
    for (int i = 0; i < pool.diskCount(); i++) {
      PoolDisk disk = pool.disk(i);
      Member member = find(members, disk.uuid());
      if (member != null && !member.copies.equal()) {
        String complaint = member.copies.complaint();
        if (complaint != null) {
          pool.addProblem(disk.path() + ": one copy of the label was not usable: " + complaint);
        }
        repaired = repaired.thenCompose(_ -> disk.writeLabel());
      }
    }
    return repaired.exceptionally(failure -> {
      pool.fail(PoolDisk.status(failure), "cannot repair metadata: " + failure.getMessage());
      return null;
    });
  }
}
