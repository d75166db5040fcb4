package io.remora.block.pool;

import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What a pool has on one loop, to which it belongs: its disks, open there, and what does I/O on them. The pool's own loop has one from the
 * start; each other loop gets one with the first channel that is opened on it, for the rest of the pool's life.
 *
 * <p>A lane looks into the volumes' maps and does I/O on what it finds in the same breath, without a lock. What the pool takes
 * away it may not give to anybody else before every lane has {@linkplain LaneDisk#drain drained}: the pool asks by a task, and a task
 * runs between two such breaths, so that later ones see that it is gone.
 */
final class Lane {
  private static final System.Logger LOG = System.getLogger(Lane.class.getName());

  private final Pool pool;
  private final Loop loop;
  private @Nullable LaneDisk[] disks = {};
  private final List<DiskFile> opened = new ArrayList<>();
  private boolean closed;
  private @Nullable ClusterIo freeClusterIo;
  private @Nullable LaneIo freeLaneIo;

  Lane(Pool pool, Loop loop) {
    this.pool = pool;
    this.loop = loop;
  }

  Pool pool() {
    return pool;
  }

  Loop loop() {
    return loop;
  }

  /** The disk of that index; null while it is not open here. */
  @Nullable
  LaneDisk disk(int index) {
    return index < disks.length ? disks[index] : null;
  }

  void put(int index, LaneDisk disk) {
    if (closed) {
      return;
    }
    if (index >= disks.length) {
      disks = Arrays.copyOf(disks, index + 1);
    }
    disks[index] = disk;
  }

  /**
   * Opens {@code disk} for this loop; it is used here once the pool's loop counts it in. Where it cannot be opened, the pool's loop
   * does all I/O on it. From the pool's loop.
   */
  void open(PoolDisk disk) {
    Path path = disk.path();
    run(() -> {
      try {
        DiskFile file = loop.disk().open(path, Disk.Mode.WRITE);
        opened.add(file);
        LaneDisk here = new LaneDisk(file);
        tell(() -> {
          disk.addLane(this, here);
          run(() -> put(disk.index(), here));
        });
      } catch (RemoraException e) {
        LOG.log(System.Logger.Level.WARNING, "{0}: loop {1} works for loop {2} too: {3}", path, pool.loop().name(),
            loop.name(), e.getMessage());
      }
    });
  }

  /** Closes what is open here; nothing may be in flight. From the pool's loop; completes there. */
  CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    boolean runs = run(() -> {
      closed = true;
      opened.forEach(DiskFile::close);
      disks = new LaneDisk[0];
      tell(() -> done.complete(null));
    });
    if (!runs) {
      done.complete(null);
    }
    return done;
  }

  /** Calls {@code done} on the pool's loop when all data I/O on a disk that is in flight here now has ended. From the pool's loop. */
  void drain(int index, Done done) {
    boolean runs = run(() -> {
      LaneDisk disk = disk(index);
      if (disk == null) {
        tell(() -> done.done(Status.OK));
      } else {
        disk.drain(status -> tell(() -> done.done(status)));
      }
    });
    if (!runs) {
      done.done(Status.OK);
    }
  }

  /** Runs {@code task} on this loop; false when it has ended, and with it all that it had in flight. */
  boolean run(Runnable task) {
    try {
      loop.execute(task);
      return true;
    } catch (RemoraException e) {
      return false;
    }
  }

  /** Runs {@code task} on the pool's loop, unless that has ended and nobody waits there. */
  void tell(Runnable task) {
    try {
      pool.loop().execute(task);
    } catch (RemoraException e) {
      LOG.log(System.Logger.Level.DEBUG, "loop {0} has ended before loop {1}", pool.loop().name(), loop.name());
    }
  }

  ClusterIo takeClusterIo() {
    ClusterIo io = freeClusterIo;
    if (io == null) {
      return new ClusterIo(this);
    }
    freeClusterIo = io.nextFree;
    io.nextFree = null;
    return io;
  }

  void release(ClusterIo io) {
    io.nextFree = freeClusterIo;
    freeClusterIo = io;
  }

  LaneIo takeLaneIo() {
    LaneIo io = freeLaneIo;
    if (io == null) {
      return new LaneIo(this);
    }
    freeLaneIo = io.nextFree;
    io.nextFree = null;
    return io;
  }

  void release(LaneIo io) {
    io.nextFree = freeLaneIo;
    freeLaneIo = io;
  }
}
