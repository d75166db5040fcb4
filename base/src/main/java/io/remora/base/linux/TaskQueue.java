package io.remora.base.linux;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Tasks from any thread to one loop, in order per thread, without a lock and without allocation. Bounded.
 *
 * <p>Producers claim a place by moving {@code tail} and fill it afterwards. The top bit of {@code tail} says closed: whoever
 * claimed before is still served, nobody claims after, so no task is lost between the two.
 */
final class TaskQueue {
  private static final long CLOSED = 1L << 62;
  private static final VarHandle TAIL;
  private static final VarHandle HEAD;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      TAIL = lookup.findVarHandle(TaskQueue.class, "tail", long.class);
      HEAD = lookup.findVarHandle(TaskQueue.class, "head", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** How an {@link #offer} ended. */
  enum Offer {
    TAKEN,
    FULL,
    CLOSED
  }

  private final AtomicReferenceArray<@Nullable Runnable> places;
  private final int mask;
  private volatile long tail;
  private volatile long head;

  /** A queue of at most {@code capacity} tasks, a power of two. */
  TaskQueue(int capacity) {
    places = new AtomicReferenceArray<>(capacity);
    mask = capacity - 1;
  }

  /** Appends {@code task}. From any thread. */
  Offer offer(Runnable task) {
    while (true) {
      long place = tail;
      if ((place & CLOSED) != 0) {
        return Offer.CLOSED;
      }
      if (place - head > mask) {
        return Offer.FULL;
      }
      if (TAIL.compareAndSet(this, place, place + 1)) {
        places.setRelease((int) place & mask, task);
        return Offer.TAKEN;
      }
    }
  }

  /** The oldest task, or null when there is none. The loop's thread only. */
  @Nullable
  Runnable poll() {
    long place = head;
    if (place == (tail & ~CLOSED)) {
      return null;
    }
    int index = (int) place & mask;
    Runnable task = places.getAcquire(index);
    while (task == null) {
      Thread.onSpinWait();
      task = places.getAcquire(index);
    }
    places.setPlain(index, null);
    HEAD.setRelease(this, place + 1);
    return task;
  }

  /** How many tasks there are now. */
  int size() {
    return (int) ((tail & ~CLOSED) - head);
  }

  /** Refuses tasks from now on; those in it stay. From any thread. */
  void close() {
    TAIL.getAndBitwiseOr(this, CLOSED);
  }

  /** Whether {@link #close} was called. */
  boolean closed() {
    return (tail & CLOSED) != 0;
  }
}
