package io.remora.cli.load;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a verifying job writes into a block, so that a later read can tell whether it is what was written, there, last.
 *
 * <pre>
 *  0        8         16           24     32       36      40
 * | "REMORA" | offset | generation | seed | length | CRC32C | pseudo-random words ... |
 * </pre>
 *
 * All little-endian; the checksum covers everything but itself. One thread.
 */
final class BlockPattern {
  /** The shortest block it fits in, in bytes. */
  static final int HEADER_BYTES = 40;

  private static final long MAGIC = 0x31_41_52_4f_4d_45_52L;
  private static final int CRC_AT = 36;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final CRC32C crc = new CRC32C();
  private final long seed;

  BlockPattern(long seed) {
    this.seed = seed;
  }

  /** Fills {@code memory}, of which {@code view} is a view, as generation {@code generation} of the block at {@code offset}. */
  void fill(MemorySegment memory, ByteBuffer view, long offset, long generation) {
    long length = memory.byteSize();
    memory.set(LONG, 0, MAGIC);
    memory.set(LONG, 8, offset);
    memory.set(LONG, 16, generation);
    memory.set(LONG, 24, seed);
    memory.set(INT, 32, (int) length);
    long word = mix(seed ^ mix(offset) ^ generation) | 1;
    for (long at = HEADER_BYTES; at + 8 <= length; at += 8) {
      word ^= word << 13;
      word ^= word >>> 7;
      word ^= word << 17;
      memory.set(LONG, at, word);
    }
    memory.set(INT, CRC_AT, checksum(view));
  }

  /**
   * What is wrong with the block of {@code offset} in {@code memory}, or null. {@code generation} 0: any is right, by whatever run
   * it was written.
   */
  @Nullable
  String check(MemorySegment memory, ByteBuffer view, long offset, long generation) {
    long length = memory.byteSize();
    if (memory.get(LONG, 0) != MAGIC) {
      return "holds no pattern of ours (it begins with 0x%016x)".formatted(Long.reverseBytes(memory.get(LONG, 0)));
    }
    if (memory.get(INT, CRC_AT) != checksum(view)) {
      return "crc32c is 0x%08x, and 0x%08x was written".formatted(checksum(view), memory.get(INT, CRC_AT));
    }
    if (memory.get(LONG, 8) != offset) {
      return "holds the block that was written to offset " + memory.get(LONG, 8);
    }
    if (memory.get(INT, 32) != (int) length) {
      return "was written with bs " + memory.get(INT, 32);
    }
    if (generation != 0 && (memory.get(LONG, 16) != generation || memory.get(LONG, 24) != seed)) {
      return "holds an older write (number %d of seed %d, not number %d of seed %d)".formatted(memory.get(LONG, 16),
          memory.get(LONG, 24), generation, seed);
    }
    return null;
  }

  private int checksum(ByteBuffer view) {
    crc.reset();
    crc.update(view.limit(CRC_AT).position(0));
    crc.update(view.limit(view.capacity()).position(HEADER_BYTES));
    return (int) crc.getValue();
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
