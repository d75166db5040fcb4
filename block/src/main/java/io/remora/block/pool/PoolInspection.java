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
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * What lies on disks, read without changing anything, and as much of it as can be read: a disk that is missing, a copy that does
 * not hold, a bad block are findings and no failure. No process may write to the disks meanwhile. On one loop.
 */
public final class PoolInspection implements AutoCloseable {
  /** Hears how far it is. */
  public interface Progress {
    /** {@code doneBytes} of {@code totalBytes} of metadata have been read; the total may grow. */
    void at(long doneBytes, long totalBytes);
  }

  /** A disk with a label. */
  record Member(DiskFile file, LabelReader.Copies copies, Label label) {}

  private final Loop loop;
  private final Progress progress;
  private final Crc32c crc = new Crc32c();
  private final List<DiskFile> files = new ArrayList<>();
  private final List<FoundPool> pools = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();
  private final Map<UUID, List<Member>> members = new LinkedHashMap<>();

  private PoolInspection(Loop loop, Progress progress) {
    this.loop = loop;
    this.progress = progress;
  }

  /**
   * Inspects the pools on the disks at {@code paths}. Fails as {@link Disk#open} does; with BUSY when a node has one of them open.
   */
  public static CompletableFuture<PoolInspection> run(Loop loop, List<Path> paths, Progress progress) {
    Check.that(loop.inLoop(), "the inspection is to belong to loop %s", loop.name());
    Check.argument(!paths.isEmpty(), "no disks to inspect");
    PoolInspection run = new PoolInspection(loop, progress);
    try {
      return run.inspect(paths).whenComplete((_, failure) -> {
        if (failure != null) {
          run.close();
        }
      });
    } catch (RemoraException e) {
      run.close();
      return CompletableFuture.failedFuture(e);
    }
  }

  /** The pools that were found. */
  public List<FoundPool> pools() {
    return Collections.unmodifiableList(pools);
  }

  /** What was noticed of disks that belong to no pool. Each pool has findings of its own. */
  public List<Finding> findings() {
    return Collections.unmodifiableList(findings);
  }

  /** How many things of that severity were noticed, in all pools and besides. */
  public int count(Finding.Severity severity) {
    long here = findings.stream().filter(finding -> finding.severity() == severity).count();
    return (int) here + pools.stream().mapToInt(pool -> pool.count(severity)).sum();
  }

  /** Lets go of the disks. On the loop. */
  @Override
  public void close() {
    files.forEach(DiskFile::close);
    files.clear();
  }

  private CompletableFuture<PoolInspection> inspect(List<Path> paths) {
    for (Path path : paths.stream().map(Path::normalize).distinct().toList()) {
      files.add(loop.disk().open(path, Disk.Mode.INSPECT));
    }
    CompletableFuture<Void> done = CompletableFuture.completedFuture(null);
    for (DiskFile file : List.copyOf(files)) {
      done = done.thenCompose(_ -> LabelReader.read(file, crc)).thenAccept(copies -> sort(file, copies));
    }
    return done.thenCompose(_ -> inspectPools()).thenApply(_ -> this);
  }

  private void sort(DiskFile file, LabelReader.Copies copies) {
    Label label = copies.newest();
    if (label != null) {
      members.computeIfAbsent(label.poolUuid(), _ -> new ArrayList<>()).add(new Member(file, copies, label));
      return;
    }
    String why = copies.complaint();
    findings.add(new Finding(Finding.Severity.LOST, file.path().toString(),
        why == null ? "holds no pool" : "the pool's label cannot be read: " + why));
  }

  private CompletableFuture<Void> inspectPools() {
    CompletableFuture<Void> done = CompletableFuture.completedFuture(null);
    for (List<Member> disks : members.values()) {
      done = done.thenCompose(_ -> new PoolInspector(loop, crc, disks, progress).run()).thenAccept(pools::add);
    }
    return done;
  }

  /** The one volume that {@code reference} means: NAME, POOL/NAME or UUID. Throws NOT_FOUND, or INVALID when there are several. */
  public FoundVolume find(String reference) {
    List<FoundVolume> found = pools.stream().flatMap(pool -> pool.volumes().stream())
        .filter(volume -> reference.equals(volume.name())
            || reference.equals(volume.pool().name() + "/" + volume.name())
            || reference.equalsIgnoreCase(volume.uuid().toString()))
        .toList();
    if (found.isEmpty()) {
      throw new RemoraException(Status.NOT_FOUND, "no volume " + reference + " was found on these disks");
    }
    if (found.size() > 1) {
      throw new RemoraException(Status.INVALID,
          "several volumes " + reference + " were found: name one by its UUID or as POOL/NAME");
    }
    return found.getFirst();
  }
}
