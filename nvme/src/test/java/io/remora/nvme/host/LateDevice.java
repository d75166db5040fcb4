package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.FilterDevice;

/** A device that carries requests out late, each after a time of its own; now and then very late. For simulations. */
public final class LateDevice extends FilterDevice {
  private final long usualNs;
  private final long longNs;

  /** Delays of up to {@code usualNs}, and now and then {@code longNs}. */
  public LateDevice(BlockDevice lower, long usualNs, long longNs) {
    super(lower);
    this.usualNs = usualNs;
    this.longNs = longNs;
  }

  @Override
  public String name() {
    return "late " + lower.name();
  }

  @Override
  public BlockChannel open(Loop loop) {
    BlockChannel below = lower.open(loop);
    return new BlockChannel() {
      @Override
      public BlockDevice device() {
        return LateDevice.this;
      }

      @Override
      public Loop loop() {
        return loop;
      }

      @Override
      public void submit(IoRequest request) {
        long max = loop.random().nextInt(20) == 0 ? longNs : usualNs;
        request.begin();
        IoRequest mine = new IoRequest(done -> request.complete(done.status));
        loop.timer(() -> {
          mine.prepare(request.op, request.offset, request.length);
          mine.fua = request.fua;
          if (request.hasData()) {
            mine.sgl.addRange(request.sgl, 0, request.length);
          }
          below.submit(mine);
        }).arm(loop.random().nextLong(max));
      }

      @Override
      public void close() {
        below.close();
      }
    };
  }
}
