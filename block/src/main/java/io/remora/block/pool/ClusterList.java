package io.remora.block.pool;

import java.util.Arrays;

/** Which cluster of a volume is in which cluster of the pool: pairs of numbers below 2^31, sorted when all are there. */
final class ClusterList {
  private long[] pairs = {};
  private int count;

  void add(long logical, int cluster) {
    if (count == pairs.length) {
      pairs = Arrays.copyOf(pairs, Math.max(4, count + (count >> 1)));
    }
    pairs[count++] = logical << 32 | cluster;
  }

  void sort() {
    Arrays.sort(pairs, 0, count);
  }

  int count() {
    return count;
  }

  long logical(int index) {
    return pairs[index] >>> 32;
  }

  int cluster(int index) {
    return (int) pairs[index];
  }

  /** Takes the pair at {@code index} out; the order stays. */
  void remove(int index) {
    System.arraycopy(pairs, index + 1, pairs, index, count - index - 1);
    count--;
  }

  /** The first pair whose logical cluster is {@code logical} or more; {@link #count} when there is none. Sorted only. */
  int first(long logical) {
    int at = Arrays.binarySearch(pairs, 0, count, logical << 32);
    return at >= 0 ? at : -at - 1;
  }
}
