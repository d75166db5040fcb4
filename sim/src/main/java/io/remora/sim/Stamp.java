package io.remora.sim;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/**
 * What a block of 512 bytes holds in a simulation: 64 words that follow from one number, which says who wrote it, where and when. So a
 * read tells data of another volume, of another place or of another time, and halves of two writes, from what belongs there.
 */
final class Stamp {
  /** The atom of every disk, and of what a simulation checks. */
  static final int BYTES = 512;

  /** Never written, or zeroed. */
  static final long ZEROS = 0;
  /** The words of a block do not belong together. */
  static final long MIXED = -1;

  private static final int WORDS = BYTES / 8;
  private static final long STEP = 0x9E3779B97F4A7C15L;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;

  private Stamp() {}

  /** The number of write {@code sequence} (1 to 2^31-1) to block {@code block} (below 2^24) of volume {@code volume} (1 to 127). */
  static long of(int volume, long block, long sequence) {
    return (long) volume << 56 | block << 32 | sequence;
  }

  /** Fills the block at {@code offset} of {@code memory}. */
  static void write(MemorySegment memory, long offset, long stamp) {
    for (int i = 0; i < WORDS; i++) {
      memory.set(WORD, offset + i * 8L, stamp == ZEROS ? 0 : stamp + i * STEP);
    }
  }

  /** The number that the block at {@code offset} of {@code memory} was filled with, or {@link #MIXED}. */
  static long read(MemorySegment memory, long offset) {
    long stamp = memory.get(WORD, offset);
    long step = stamp == ZEROS ? 0 : STEP;
    for (int i = 1; i < WORDS; i++) {
      if (memory.get(WORD, offset + i * 8L) != stamp + i * step) {
        return MIXED;
      }
    }
    return stamp;
  }

  /** For people. */
  static String describe(long stamp) {
    if (stamp == ZEROS) {
      return "zeros";
    }
    if (stamp == MIXED) {
      return "a mixture";
    }
    long volume = stamp >>> 56;
    long sequence = stamp & 0xFFFF_FFFFL;
    return volume >= 1 && volume <= 127 && sequence > 0 && sequence < 1L << 31
        ? String.format(Locale.ROOT, "write %d of volume %d to block %d", sequence, volume, stamp >>> 32 & 0xFF_FFFF)
        : String.format(Locale.ROOT, "what nobody wrote (%016x)", stamp);
  }
}
