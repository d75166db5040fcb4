package io.remora.verbs.ibverbs;

import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.util.Arrays;

/** Requests that were posted to queue pairs in the error state of a driver that does not flush them, in order. Belongs to its completion queue. */
final class LateFlushes {
  private final int max;
  private long[] ids = new long[8];
  private int[] numbers = new int[8];
  private int first;
  private int end;

  /** Room for {@code max}. */
  LateFlushes(int max) {
    this.max = max;
  }

  boolean isEmpty() {
    return first == end;
  }

  /** False when there is no room. */
  boolean add(long id, int queuePair) {
    if (end - first == max) {
      return false;
    }
    if (end == ids.length) {
      keep(Integer.MIN_VALUE);
      if (2 * end > ids.length) {
        ids = Arrays.copyOf(ids, 2 * ids.length);
        numbers = Arrays.copyOf(numbers, 2 * numbers.length);
      }
    }
    ids[end] = id;
    numbers[end] = queuePair;
    end++;
    return true;
  }

  /** Shows the first; false when there is none. */
  boolean show(WorkCompletions into) {
    if (isEmpty()) {
      return false;
    }
    into.add(ids[first], WorkStatus.FLUSH_ERROR, null, 0, numbers[first]);
    first++;
    return true;
  }

  /** Drops those of {@code queuePair}. */
  void forget(int queuePair) {
    keep(queuePair);
  }

  private void keep(int butNot) {
    int to = 0;
    for (int i = first; i < end; i++) {
      if (numbers[i] != butNot) {
        ids[to] = ids[i];
        numbers[to] = numbers[i];
        to++;
      }
    }
    first = 0;
    end = to;
  }
}
