package io.remora.base.linux;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The armed timers of one loop: a binary heap by deadline, and by order of arming where deadlines are equal. Every timer knows
 * its place, so that moving and cancelling search nothing.
 */
final class TimerHeap {
  private @Nullable LoopTimer[] heap = new LoopTimer[64];
  private int count;
  private long sequence;

  boolean isEmpty() {
    return count == 0;
  }

  /** The number that the next armed timer gets. */
  long sequence() {
    return sequence;
  }

  /** The timer that is due first. */
  @Nullable
  LoopTimer first() {
    return count == 0 ? null : heap[0];
  }

  /** Adds {@code timer}, or moves it when it is here already. */
  void arm(LoopTimer timer, long deadlineNs) {
    timer.deadlineNs = deadlineNs;
    timer.sequence = sequence++;
    if (timer.index < 0) {
      if (count == heap.length) {
        heap = Arrays.copyOf(heap, count * 2);
      }
      timer.index = count++;
      heap[timer.index] = timer;
    }
    settle(timer);
  }

  /** Takes {@code timer}, which is here, out. */
  void remove(LoopTimer timer) {
    int hole = timer.index;
    timer.index = -1;
    LoopTimer last = at(--count);
    heap[count] = null;
    if (last != timer) {
      last.index = hole;
      heap[hole] = last;
      settle(last);
    }
  }

  private void settle(LoopTimer timer) {
    int index = timer.index;
    while (index > 0 && timer.before(at((index - 1) >>> 1))) {
      int parent = (index - 1) >>> 1;
      place(at(parent), index);
      index = parent;
    }
    while (true) {
      int child = 2 * index + 1;
      if (child >= count) {
        break;
      }
      if (child + 1 < count && at(child + 1).before(at(child))) {
        child++;
      }
      if (!at(child).before(timer)) {
        break;
      }
      place(at(child), index);
      index = child;
    }
    place(timer, index);
  }

  private void place(LoopTimer timer, int index) {
    heap[index] = timer;
    timer.index = index;
  }

  private LoopTimer at(int index) {
    LoopTimer timer = heap[index];
    assert timer != null : index;
    return timer;
  }
}
