package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The part of a request that goes to one cluster. Lives in its lane's free list; belongs to the lane's loop. */
final class ClusterIo implements IoRequest.Completion {
  final IoRequest io = new IoRequest(this);
  private final Lane lane;
  private @Nullable Done parent;
  private @Nullable LaneDisk disk;
  private int epoch;
  @Nullable
  ClusterIo nextFree;

  ClusterIo(Lane lane) {
    this.lane = lane;
  }

  void begin(Done of, LaneDisk on, IoRequest.Op op, long offset, long length, boolean fua) {
    parent = of;
    disk = on;
    epoch = on.beginData();
    io.prepare(op, offset, length);
    io.fua = fua;
  }

  @Override
  public void completed(IoRequest request) {
    Done of = Objects.requireNonNull(parent);
    LaneDisk on = Objects.requireNonNull(disk);
    parent = null;
    disk = null;
    on.endData(epoch, request.op != IoRequest.Op.READ);
    if (request.status == Status.MEDIUM_ERROR) {
      on.failed(request);
    }
    lane.release(this);
    of.done(request.status);
  }
}
