package io.remora.nvme.tcp;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;

/**
 * A device that reads as a pattern of its offsets, forgets what is written, and complains when it is given anything to write that no host
 * has sent for that place. Answers at once, late, or with an error, as the seed decides.
 */
final class FuzzDevice implements BlockDevice, FuzzModel.Writes {
  private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long SIZE = 64 << 20;
  private static final int FACTOR = 0x9E3779B1;
  /** FACTOR * INVERSE is 1. */
  private static final int INVERSE = 0x0e8b2f51;

  private final RandomGenerator random;
  private final Set<Long> allowed = new HashSet<>();
  int openChannels;
  long requests;
  /** Some host's stream could be read in two ways: what is written is not looked at. */
  boolean unsure;

  FuzzDevice(RandomGenerator random) {
    this.random = random;
  }

  /** The word at {@code offset}. */
  static int word(long offset) {
    return (int) (offset >>> 9) * FACTOR & 0x7fff_ffff;
  }

  @Override
  public void mayWrite(int opcode, long offset, byte[] data) {
    allowed.add(key(opcode == 0x05, offset, Pdus.crc(data, 0, data.length), data.length));
  }

  private static long key(boolean compare, long offset, int crc, long length) {
    return ((offset * 31 + length) << 33) ^ ((crc & 0xffff_ffffL) << 1) ^ (compare ? 1 : 0);
  }

  private void check(IoRequest request) {
    CRC32C crc = new CRC32C();
    for (int i = 0; i < request.sgl.count(); i++) {
      crc.update(request.sgl.segment(i).asSlice(request.sgl.offset(i), request.sgl.length(i)).asByteBuffer());
    }
    boolean compare = request.op == IoRequest.Op.COMPARE;
    if (!unsure && !isCopy(request)
        && !allowed.contains(key(compare, request.offset, (int) crc.getValue(), request.length))) {
      throw new AssertionError(request + " with data that nobody has sent for it");
    }
  }

  /** Whether it writes what is elsewhere on the device. */
  private static boolean isCopy(IoRequest request) {
    MemorySegment data = MemorySegment.ofArray(new byte[(int) request.length]);
    request.sgl.copyTo(0, data, 0, request.length);
    for (long at = 0; at < request.length; at += 4) {
      int word = data.get(LE32, at);
      if (at % 512 == 0 ? !isWord(word) && !isWord(word | 1 << 31) : word != 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean isWord(int value) {
    int block = value * INVERSE;
    return block >= 0 && block < SIZE / 512;
  }

  private static void fill(IoRequest request) {
    MemorySegment block = MemorySegment.ofArray(new byte[512]);
    for (long at = 0; at < request.length; at += 512) {
      block.set(LE32, 0, word(request.offset + at));
      request.sgl.copyFrom(at, block, 0, 512);
    }
  }

  @Override
  public String name() {
    return "fuzz";
  }

  @Override
  public UUID uuid() {
    return new UUID(17, 18);
  }

  @Override
  public int blockSize() {
    return 512;
  }

  @Override
  public long sizeBytes() {
    return SIZE;
  }

  @Override
  public boolean canDeallocate() {
    return true;
  }

  @Override
  public boolean volatileCache() {
    return true;
  }

  @Override
  public void addListener(Listener listener) {}

  @Override
  public void removeListener(Listener listener) {}

  @Override
  public BlockChannel open(Loop loop) {
    openChannels++;
    return new Channel(loop);
  }

  private final class Channel implements BlockChannel {
    private final Loop loop;

    Channel(Loop loop) {
      this.loop = loop;
    }

    @Override
    public BlockDevice device() {
      return FuzzDevice.this;
    }

    @Override
    public Loop loop() {
      return loop;
    }

    @Override
    public void submit(IoRequest request) {
      request.begin();
      requests++;
      if (request.offset < 0 || request.length < 0 || request.offset + request.length > SIZE) {
        throw new AssertionError(request + " is outside of the device");
      }
      if (random.nextInt(8) == 0) {
        loop.timer(() -> finish(request)).arm(random.nextLong(3_000_000));
      } else {
        loop.defer(() -> finish(request));
      }
    }

    private void finish(IoRequest request) {
      switch (request.op) {
        case READ -> fill(request);
        case WRITE, COMPARE -> check(request);
        case WRITE_ZEROES, DEALLOCATE, FLUSH -> {
        }
      }
      request.complete(switch (random.nextInt(64)) {
        case 0 -> Status.MEDIUM_ERROR;
        case 1 -> Status.BUSY;
        case 2 -> Status.NO_SPACE;
        default -> request.op == IoRequest.Op.COMPARE ? Status.MISCOMPARE : Status.OK;
      });
    }

    @Override
    public void close() {
      openChannels--;
    }
  }
}
