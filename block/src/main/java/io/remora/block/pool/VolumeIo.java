package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.block.RequestCheck;
import io.remora.block.Zeros;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request to a volume on its way: split at clusters, waiting for clusters, for the disk, for metadata, for a flush. Lives in the
 * pool's free list; belongs to the pool's loop; allocates nothing in the steady state.
 *
 * <p>A write that maps a cluster ends when its data and the entry have been written, without a flush: the cluster is zeros on the
 * medium, so whatever of the two survives a power loss, nobody sees old data; and a kill takes nothing that was completed.
 */
final class VolumeIo implements Done {
  /** Takes requests that have ended. */
  interface Sink {
    /** {@code inside}: the call that submitted the request has not returned yet. */
    void ended(IoRequest request, Status status, boolean inside);
  }

  private final Pool pool;
  private final Done goOn = this::goOn;
  private @Nullable Volume volume;
  private @Nullable IoRequest request;
  private @Nullable Sink sink;
  private long at;
  /** Parts in flight, and one for the loop over the clusters itself. */
  private int outstanding;
  private Status status = Status.OK;
  private boolean inside;
  private boolean flushAfter;
  private boolean fuaParts;
  /** Whether entries of the table were on their way to the disk that it had to wait for. */
  private boolean metFresh;
  /** In the free list, in the queue for clusters, or held back by a volume: one of these at a time. */
  @Nullable
  VolumeIo nextFree;
  @Nullable
  VolumeIo nextWaiter;

  VolumeIo(Pool pool) {
    this.pool = pool;
  }

  Volume volume() {
    return Objects.requireNonNull(volume);
  }

  void begin(Volume toVolume, IoRequest of, Sink to) {
    volume = toVolume;
    request = of;
    sink = to;
    at = 0;
    status = Status.OK;
    outstanding = 1;
    flushAfter = false;
    fuaParts = false;
    metFresh = false;
    inside = true;
    toVolume.admit(this);
    inside = false;
  }

  /** The volume lets it through. */
  void run() {
    IoRequest io = Objects.requireNonNull(request);
    Status verdict = check(io);
    if (!verdict.isOk()) {
      done(verdict);
      return;
    }
    if (io.op == Op.FLUSH) {
      flushAfter = true;
      done(Status.OK);
      return;
    }
    if (io.fua && RequestCheck.changes(io.op)) {
      // Parts with FUA of their own are enough when no metadata waits for a flush.
      fuaParts = pool.metadataQuiet();
      flushAfter = !fuaParts;
    }
    advance();
  }

  /** The volume may have changed since the channel looked. */
  private Status check(IoRequest io) {
    if (volume().removed()) {
      return Status.ABORTED;
    }
    if (io.op == Op.FLUSH) {
      return Status.OK;
    }
    if (RequestCheck.changes(io.op) && pool.failed()) {
      return Status.READ_ONLY;
    }
    return RequestCheck.range(io, volume().blockSize(), volume().sizeBytes());
  }

  /** A cluster may be there now. */
  void resume() {
    // Others have worked while this one waited.
    flushAfter |= fuaParts && !pool.metadataQuiet();
    advance();
  }

  /** There will be no cluster. */
  void refuse(Status why) {
    done(why);
  }

  private void advance() {
    IoRequest io = Objects.requireNonNull(request);
    long clusterBytes = pool.clusterBytes();
    while (at < io.length && status.isOk()) {
      long position = io.offset + at;
      long logical = position / clusterBytes;
      long inCluster = position & clusterBytes - 1;
      long take = Math.min(io.length - at, clusterBytes - inCluster);
      if (!part(io, logical, inCluster, take)) {
        return;
      }
      at += take;
    }
    done(Status.OK);
  }

  /** One cluster's part; false when it has to wait for a cluster. */
  private boolean part(IoRequest io, long logical, long inCluster, long take) {
    int cluster = volume().map().get(logical);
    if (cluster < 0 && pool.mayHaveLost(volume())) {
      fail(Status.CORRUPT);
      return true;
    }
    metFresh |= cluster >= 0 && io.op != Op.READ && volume().map().fresh(logical);
    switch (io.op) {
      case READ -> {
        if (cluster < 0) {
          Zeros.fill(io.sgl, at, take);
        } else {
          child(Op.READ, cluster, inCluster, take);
        }
      }
      case WRITE -> {
        if (cluster < 0) {
          if (pool.closing()) {
            // Nothing is cleaned any more that this could wait for.
            fail(Status.ABORTED);
            return true;
          }
          if (waitsForFormer(logical)) {
            return false;
          }
          cluster = pool.space().take(this);
          if (cluster == Space.WAIT) {
            return false;
          }
          if (cluster == Space.FULL) {
            fail(Status.NO_SPACE);
            return true;
          }
          pool.map(volume(), logical, cluster);
          metFresh = true;
          flushAfter |= io.fua;
        }
        awaitEntry(cluster);
        child(Op.WRITE, cluster, inCluster, take);
      }
      case WRITE_ZEROES, DEALLOCATE -> {
        if (cluster < 0) {
          awaitFormer(logical);
        } else if (io.op == Op.DEALLOCATE) {
          deallocate(io, logical, cluster, inCluster, take);
        } else {
          zero(cluster, inCluster, take);
        }
      }
      case COMPARE, FLUSH -> throw new IllegalStateException("not split: " + io);
    }
    return true;
  }

  private void deallocate(IoRequest io, long logical, int cluster, long inCluster, long take) {
    boolean toTheEnd = io.offset + at + take == volume().sizeBytes();
    if (inCluster == 0 && (take == pool.clusterBytes() || toTheEnd)) {
      Region region = pool.regionOf(cluster);
      pool.unmap(volume(), logical);
      outstanding++;
      region.table.await(region.pageOf(cluster - region.base), this);
      flushAfter |= io.fua;
    } else {
      zero(cluster, inCluster, take);
    }
  }

  private void zero(int cluster, long inCluster, long take) {
    awaitEntry(cluster);
    child(Op.WRITE_ZEROES, cluster, inCluster, take);
  }

  /** A change is not completed before the entry that makes it findable has been written. */
  private void awaitEntry(int cluster) {
    Region region = pool.regionOf(cluster);
    int inRegion = cluster - region.base;
    Page page = region.pageOf(inRegion);
    int entry = inRegion % Layout.ENTRIES_PER_PAGE;
    PageWriter.Slot writing = page.writing;
    if (page.isFresh(entry)) {
      outstanding++;
      region.table.await(page, this);
    } else if (writing != null && page.isFreshWriting(entry)) {
      outstanding++;
      writing.waiters.add(this);
    }
  }

  /** What is zeros already may be so by another request whose entry is still on its way: this one does not end before it. */
  private void awaitFormer(long logical) {
    Page page = formerPage(logical);
    if (page != null) {
      outstanding++;
      page.area.await(page, this);
    }
  }

  /** A place gets a new cluster only when the entry that freed the old one is on the disk: so one entry at most is on its way. */
  private boolean waitsForFormer(long logical) {
    Page page = formerPage(logical);
    if (page == null) {
      return false;
    }
    page.area.await(page, goOn);
    return true;
  }

  private @Nullable Page formerPage(long logical) {
    int former = volume().map().former(logical);
    if (former < 0) {
      return null;
    }
    Region region = pool.regionOf(former);
    Page page = region.pageOf(former - region.base);
    return page.inMotion() ? page : null;
  }

  private void goOn(Status how) {
    if (how.isOk()) {
      resume();
    } else {
      refuse(how);
    }
  }

  private void child(Op op, int cluster, long inCluster, long take) {
    IoRequest io = Objects.requireNonNull(request);
    Region region = pool.regionOf(cluster);
    outstanding++;
    ClusterIo child = pool.lane().takeClusterIo();
    child.begin(this, region.disk.data(), op, region.offset(cluster - region.base, pool.clusterBytes()) + inCluster,
        take,
        fuaParts && op != Op.READ);
    if (op == Op.READ || op == Op.WRITE) {
      child.io.sgl.addRange(io.sgl, at, take);
    }
    region.disk.file().submit(child.io);
  }

  private void fail(Status why) {
    if (status.isOk()) {
      status = why;
    }
  }

  @Override
  public void done(Status how) {
    if (!how.isOk()) {
      fail(how);
    }
    if (--outstanding == 0) {
      if (flushAfter && status.isOk()) {
        flushAfter = false;
        outstanding = 1;
        pool.flush(this);
      } else {
        end();
      }
    }
  }

  /** One more thing to wait for: a disk's flush. */
  void addPart() {
    outstanding++;
  }

  /** Other loops may write to the clusters of {@code io} from now on, as far as their entries are on the disk. */
  private void settle(IoRequest io) {
    VolumeMap map = volume().map();
    long end = (io.offset + io.length - 1) / pool.clusterBytes();
    for (long logical = io.offset / pool.clusterBytes(); logical <= end; logical++) {
      int cluster = map.get(logical);
      if (cluster >= 0 && map.fresh(logical) && pool.settled(cluster)) {
        map.settle(logical);
      }
    }
  }

  private void end() {
    IoRequest ended = Objects.requireNonNull(request);
    Sink to = Objects.requireNonNull(sink);
    Volume of = volume();
    Status how = status;
    boolean within = inside;
    if (metFresh && how.isOk()) {
      settle(ended);
    }
    request = null;
    sink = null;
    volume = null;
    pool.release(this);
    of.ended();
    to.ended(ended, how, within);
  }
}
