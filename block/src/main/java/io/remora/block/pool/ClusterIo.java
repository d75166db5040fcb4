package io.remora.block.pool;

import io.remora.base.IoRequest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The part of a {@link VolumeIo} that goes to one cluster. Lives in the pool's free list; belongs to the pool's loop. */
final class ClusterIo implements IoRequest.Completion {
  final IoRequest io = new IoRequest(this);
  private final Pool pool;
  private @Nullable VolumeIo parent;
  private @Nullable PoolDisk disk;
  private int epoch;
  @Nullable
  ClusterIo nextFree;

  ClusterIo(Pool pool) {
    this.pool = pool;
  }

  void begin(VolumeIo of, PoolDisk on, IoRequest.Op op, long offset, long length, boolean fua) {
    parent = of;
    disk = on;
    epoch = on.beginData();
    io.prepare(op, offset, length);
    io.fua = fua;
  }

  @Override
  public void completed(IoRequest request) {
    VolumeIo of = Objects.requireNonNull(parent);
    PoolDisk on = Objects.requireNonNull(disk);
    parent = null;
    disk = null;
    on.endData(epoch, request.op != IoRequest.Op.READ);
    pool.release(this);
    of.done(request.status);
  }
}
