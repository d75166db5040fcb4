package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.util.UUID;

/** A device that carries requests out late, each after a time of its own; now and then very late. For simulations. */
public final class LateDevice implements BlockDevice {
  private final BlockDevice lower;
  private final long usualNs;
  private final long longNs;

  /** Delays of up to {@code usualNs}, and now and then {@code longNs}. */
  public LateDevice(BlockDevice lower, long usualNs, long longNs) {
    this.lower = lower;
    this.usualNs = usualNs;
    this.longNs = longNs;
  }

  @Override
  public String name() {
    return "late " + lower.name();
  }

  @Override
  public UUID uuid() {
    return lower.uuid();
  }

  @Override
  public int blockSize() {
    return lower.blockSize();
  }

  @Override
  public long sizeBytes() {
    return lower.sizeBytes();
  }

  @Override
  public boolean canDeallocate() {
    return lower.canDeallocate();
  }

  @Override
  public boolean volatileCache() {
    return lower.volatileCache();
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

  @Override
  public void addListener(Listener listener) {}

  @Override
  public void removeListener(Listener listener) {}
}
