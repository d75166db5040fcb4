package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.block.CheckedChannel;
import io.remora.block.Emulator;

/** A volume's channel on the loop that owns the pool. */
final class DirectChannel extends CheckedChannel implements VolumeIo.Sink {
  private final Volume volume;
  private final Emulator compare;

  DirectChannel(Volume volume) {
    super(volume, volume.pool().loop());
    this.volume = volume;
    this.compare = new Emulator(this::startRead, IoRequest::complete);
  }

  @Override
  protected void execute(IoRequest request) {
    if (request.op == Op.COMPARE) {
      compare.start(request);
    } else {
      volume.start(request, this);
    }
  }

  private void startRead(IoRequest read) {
    read.begin();
    volume.start(read, this);
  }

  @Override
  public void ended(IoRequest request, Status status, boolean inside) {
    if (inside) {
      finish(request, status);
    } else {
      request.complete(status);
    }
  }

  @Override
  protected void onClose() {
    volume.channelClosed();
  }
}
