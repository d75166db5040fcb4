package io.remora.base.linux;

import io.remora.base.Check;
import org.jspecify.annotations.Nullable;

/** What a loop runs at the end of its turn: a ring that grows to its bound and then allocates nothing. One loop's. */
final class DeferQueue {
  private static final int MAX_TASKS = 1 << 20;

  private @Nullable Runnable[] places = new Runnable[256];
  private int head;
  private int count;

  void add(Runnable task) {
    if (count == places.length) {
      grow();
    }
    places[(head + count++) & (places.length - 1)] = task;
  }

  @Nullable
  Runnable poll() {
    if (count == 0) {
      return null;
    }
    Runnable task = places[head];
    places[head] = null;
    head = (head + 1) & (places.length - 1);
    count--;
    return task;
  }

  boolean isEmpty() {
    return count == 0;
  }

  private void grow() {
    Check.that(count < MAX_TASKS, "more than %d tasks are deferred", MAX_TASKS);
    @Nullable
    Runnable[] larger = new Runnable[places.length * 2];
    int untilEnd = places.length - head;
    System.arraycopy(places, head, larger, 0, untilEnd);
    System.arraycopy(places, 0, larger, untilEnd, head);
    places = larger;
    head = 0;
  }
}
