package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.CheckedChannel;
import io.remora.block.Zeros;
import java.util.UUID;

/** Reads a {@link FoundVolume} off its disks, cluster by cluster. On the inspection's loop only; allocates as it goes. */
final class FoundDevice implements BlockDevice {
  private final FoundVolume volume;

  FoundDevice(FoundVolume volume) {
    this.volume = volume;
  }

  @Override
  public String name() {
    return volume.name();
  }

  @Override
  public UUID uuid() {
    return volume.uuid();
  }

  @Override
  public int blockSize() {
    return volume.blockSize();
  }

  @Override
  public long sizeBytes() {
    return volume.sizeBytes();
  }

  @Override
  public boolean canDeallocate() {
    return false;
  }

  @Override
  public boolean readOnly() {
    return true;
  }

  @Override
  public boolean volatileCache() {
    return false;
  }

  @Override
  public BlockChannel open(Loop loop) {
    Check.that(loop == volume.pool().loop(), "volume %s is found on loop %s", name(), volume.pool().loop().name());
    return new Channel(loop);
  }

  @Override
  public void addListener(Listener listener) {}

  @Override
  public void removeListener(Listener listener) {}

  private final class Channel extends CheckedChannel {
    Channel(Loop loop) {
      super(FoundDevice.this, loop);
    }

    @Override
    protected void execute(IoRequest request) {
      switch (request.op) {
        case READ -> new Read(request).start();
        case FLUSH -> finish(request, Status.OK);
        case COMPARE -> finish(request, Status.UNSUPPORTED);
        case WRITE, WRITE_ZEROES, DEALLOCATE -> finish(request, Status.READ_ONLY);
      }
    }

    /** A read on its way: a part for each cluster that is there. */
    private final class Read {
      private final IoRequest request;
      private int outstanding = 1;
      private Status status = Status.OK;

      Read(IoRequest request) {
        this.request = request;
      }

      void start() {
        ClusterList clusters = volume.clusters();
        long clusterBytes = volume.pool().clusterBytes();
        int next = clusters.first(request.offset / clusterBytes);
        for (long at = 0; at < request.length;) {
          long position = request.offset + at;
          long inCluster = position % clusterBytes;
          long take = Math.min(clusterBytes - inCluster, request.length - at);
          if (next < clusters.count() && clusters.logical(next) == position / clusterBytes) {
            part(clusters.cluster(next), inCluster, at, take);
            next++;
          } else {
            Zeros.fill(request.sgl, at, take);
          }
          at += take;
        }
        ended(Status.OK);
      }

      private void part(int cluster, long inCluster, long at, long take) {
        FoundRegion region = volume.pool().regionOf(cluster);
        long offset = region.shape().clusterOffset(cluster - region.base(), volume.pool().clusterBytes()) + inCluster;
        IoRequest io = new IoRequest(done -> ended(done.status)).prepare(Op.READ, offset, take);
        io.sgl.addRange(request.sgl, at, take);
        outstanding++;
        region.file().submit(io);
      }

      private void ended(Status how) {
        if (!how.isOk()) {
          // A disk that ends before its pool does is as unreadable as a bad block.
          status = how == Status.OUT_OF_RANGE ? Status.MEDIUM_ERROR : how;
        }
        if (--outstanding == 0) {
          finish(request, status);
        }
      }
    }
  }
}
