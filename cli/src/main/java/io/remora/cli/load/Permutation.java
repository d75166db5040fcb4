package io.remora.cli.load;

/**
 * Every number below {@code count} once, in an order that looks random: a four-round Feistel network on the next power of four,
 * walked until it lands below {@code count} (fewer than four steps on average). Needs no memory per number. Immutable.
 */
final class Permutation {
  private final long count;
  private final int halfBits;
  private final long seed;

  Permutation(long count, long seed) {
    this.count = count;
    this.seed = seed;
    int bits = Math.max(2, 64 - Long.numberOfLeadingZeros(Math.max(1, count - 1)));
    this.halfBits = (bits + 1) / 2;
  }

  /** The number at place {@code index}, 0 to {@code count - 1}. */
  long at(long index) {
    long value = index;
    do {
      value = shuffle(value);
    } while (value >= count);
    return value;
  }

  private long shuffle(long value) {
    long mask = (1L << halfBits) - 1;
    long left = value >>> halfBits;
    long right = value & mask;
    for (int round = 0; round < 4; round++) {
      long mixed = (right + seed + round) * 0x9e3779b97f4a7c15L;
      mixed = (mixed ^ (mixed >>> 32)) * 0xd6e8feb86659fd93L;
      long next = left ^ ((mixed >>> 32) & mask);
      left = right;
      right = next;
    }
    return (left << halfBits) | right;
  }
}
