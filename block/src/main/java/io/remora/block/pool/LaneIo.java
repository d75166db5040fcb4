package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.block.Zeros;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request that another loop than the pool's serves by itself, for it changes no map: the clusters are looked up first, then all parts
 * are submitted, in one go. Lives in its lane's free list; belongs to the lane's loop; allocates nothing in the steady state.
 */
final class LaneIo implements Done {
  /** Requests that touch more clusters are the pool's loop's business. */
  private static final int MAX_CLUSTERS = 64;

  private final Lane lane;
  private final int[] clusters = new int[MAX_CLUSTERS];
  private @Nullable LaneChannel channel;
  private @Nullable IoRequest request;
  private int outstanding;
  private Status status = Status.OK;
  private boolean inside;
  @Nullable
  LaneIo nextFree;

  LaneIo(Lane lane) {
    this.lane = lane;
  }

  /** Starts {@code io}, or returns false: the pool's loop has to. */
  boolean begin(LaneChannel of, IoRequest io) {
    if (!find(of.volume(), io)) {
      return false;
    }
    channel = of;
    request = io;
    status = Status.OK;
    outstanding = 1;
    inside = true;
    submit(io);
    done(Status.OK);
    inside = false;
    return true;
  }

  /** Looks the clusters up; false when one of them, or the request as a whole, is not for this loop. */
  private boolean find(Volume volume, IoRequest io) {
    boolean reads = io.op == Op.READ;
    if (!reads && ((io.op != Op.WRITE && io.op != Op.WRITE_ZEROES) || lane.pool().failed())) {
      return false;
    }
    long clusterBytes = lane.pool().clusterBytes();
    long first = io.offset / clusterBytes;
    long count = (io.offset + io.length - 1) / clusterBytes - first + 1;
    if (count > MAX_CLUSTERS || volume.held() || volume.removed() || io.offset + io.length > volume.sizeBytes()) {
      return false;
    }
    VolumeMap map = volume.map();
    for (int i = 0; i < count; i++) {
      int cluster = map.get(first + i);
      if (cluster < 0 ? !reads || lane.pool().mayHaveLost(volume) : !reachable(cluster)) {
        return false;
      }
      // A write is not complete before the entry that makes it findable has been written: the pool's loop waits for that.
      if (!reads && map.fresh(first + i)) {
        return false;
      }
      clusters[i] = cluster;
    }
    // After the look-up: so the entries that were found are durable.
    return !io.fua || reads || lane.pool().quiet();
  }

  private boolean reachable(int cluster) {
    Region region = lane.pool().regionOf(cluster);
    LaneDisk disk = lane.disk(region.disk.index());
    return disk != null && disk.reaches(region.shape.end());
  }

  private void submit(IoRequest io) {
    long clusterBytes = lane.pool().clusterBytes();
    int index = 0;
    for (long at = 0; at < io.length; index++) {
      long inCluster = (io.offset + at) & (clusterBytes - 1);
      long take = Math.min(io.length - at, clusterBytes - inCluster);
      if (clusters[index] < 0) {
        Zeros.fill(io.sgl, at, take);
      } else {
        part(io, at, clusters[index], inCluster, take);
      }
      at += take;
    }
  }

  private void part(IoRequest io, long at, int cluster, long inCluster, long take) {
    Region region = lane.pool().regionOf(cluster);
    LaneDisk disk = Objects.requireNonNull(lane.disk(region.disk.index()));
    outstanding++;
    ClusterIo child = lane.takeClusterIo();
    child.begin(this, disk, io.op, region.offset(cluster - region.base, lane.pool().clusterBytes()) + inCluster, take,
        io.fua && io.op != Op.READ);
    if (io.op != Op.WRITE_ZEROES) {
      child.io.sgl.addRange(io.sgl, at, take);
    }
    disk.file.submit(child.io);
  }

  @Override
  public void done(Status how) {
    if (status.isOk()) {
      status = how;
    }
    if (--outstanding == 0) {
      IoRequest ended = Objects.requireNonNull(request);
      LaneChannel to = Objects.requireNonNull(channel);
      request = null;
      channel = null;
      lane.release(this);
      to.ended(ended, status, inside);
    }
  }
}
