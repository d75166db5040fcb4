package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.block.CheckedChannel;
import io.remora.block.Emulator;
import org.jspecify.annotations.Nullable;

/**
 * A volume's channel on another loop than the pool's: reads and writes go to the disks from here, what changes the volume's map and
 * what flushes goes over to the pool's loop. Belongs to its loop.
 */
final class LaneChannel extends CheckedChannel {
  private final Volume volume;
  private final HandOver handOver;
  private final Emulator compare;
  /** Null until the pool's loop knows that this channel is there, and once it is closed. */
  private @Nullable Lane lane;
  /** Requests that this loop serves by itself. */
  private int inFlight;
  private @Nullable Runnable whenStill;
  private boolean left;

  LaneChannel(Volume volume, Loop loop) {
    super(volume, loop);
    this.volume = volume;
    this.handOver = new HandOver(volume, loop, this::finish);
    this.compare = new Emulator(this::startRead, IoRequest::complete);
  }

  Volume volume() {
    return volume;
  }

  /** The pool's loop asks, whenever it has to, whether this channel is {@linkplain #still still}. */
  void join(Lane to) {
    lane = closed() ? null : to;
  }

  /** Runs {@code then} on this loop once nothing is in flight here that this loop serves by itself. */
  void still(Runnable then) {
    if (inFlight == 0) {
      then.run();
    } else {
      whenStill = then;
    }
  }

  @Override
  protected void execute(IoRequest request) {
    if (request.op == Op.COMPARE) {
      compare.start(request);
    } else {
      start(request);
    }
  }

  private void startRead(IoRequest read) {
    read.begin();
    start(read);
  }

  private void start(IoRequest request) {
    Lane here = lane;
    if (here == null || request.op == Op.FLUSH || request.op == Op.DEALLOCATE) {
      handOver.send(request);
      return;
    }
    LaneIo io = here.takeLaneIo();
    inFlight++;
    if (!io.begin(this, request)) {
      inFlight--;
      here.release(io);
      handOver.send(request);
    }
  }

  /** A request has ended that was served here; {@code within}: inside of the call that started it. */
  void ended(IoRequest request, Status status, boolean within) {
    inFlight--;
    if (inFlight == 0) {
      nowStill();
    }
    if (within) {
      finish(request, status);
    } else {
      request.complete(status);
    }
  }

  private void nowStill() {
    Runnable then = whenStill;
    whenStill = null;
    if (then != null) {
      then.run();
    }
    if (closed() && !left) {
      left = true;
      volume.leave(this);
    }
  }

  @Override
  protected void onClose() {
    lane = null;
    if (inFlight == 0) {
      nowStill();
    }
  }
}
