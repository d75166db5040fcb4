package io.remora.block;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import java.util.UUID;

/**
 * A device that forgets what is written and reads as zeros, for measurements of what is above it. Shared by any number of loops.
 *
 * <p>Reads do fill the memory: leaving it as it is would hand whatever was in the buffer before to whoever reads.
 */
public final class NullDevice implements BlockDevice {
  private final String name;
  private final UUID uuid;
  private final long sizeBytes;
  private final int blockSize;

  /** A device of {@code sizeBytes}, a positive multiple of {@code blockSize} (512 to 4096, a power of two). */
  public NullDevice(String name, UUID uuid, long sizeBytes, int blockSize) {
    Check.argument(blockSize >= 512 && blockSize <= 4096 && Integer.bitCount(blockSize) == 1,
        "%s: block size %d is not 512, 1024, 2048 or 4096", name, blockSize);
    Check.argument(sizeBytes > 0 && sizeBytes % blockSize == 0,
        "%s: size %d is no positive multiple of the block size %d", name, sizeBytes, blockSize);
    this.name = name;
    this.uuid = uuid;
    this.sizeBytes = sizeBytes;
    this.blockSize = blockSize;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public UUID uuid() {
    return uuid;
  }

  @Override
  public int blockSize() {
    return blockSize;
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public boolean canDeallocate() {
    return true;
  }

  @Override
  public boolean volatileCache() {
    return false;
  }

  @Override
  public BlockChannel open(Loop loop) {
    return new Channel(loop);
  }

  /** Nothing ever changes, so nobody is told. */
  @Override
  public void addListener(Listener listener) {}

  @Override
  public void removeListener(Listener listener) {}

  private final class Channel extends CheckedChannel {
    Channel(Loop loop) {
      super(NullDevice.this, loop);
    }

    @Override
    protected void execute(IoRequest request) {
      Status status = Status.OK;
      switch (request.op) {
        case READ -> Zeros.fill(request.sgl, 0, request.length);
        case COMPARE ->
          status = Zeros.equal(request.sgl, 0, request.length) ? Status.OK : Status.MISCOMPARE;
        case WRITE, FLUSH, WRITE_ZEROES, DEALLOCATE -> {
        }
      }
      finish(request, status);
    }
  }
}
