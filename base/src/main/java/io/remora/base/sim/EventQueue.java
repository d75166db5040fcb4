package io.remora.base.sim;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What will happen, by time and then by the order in which it was scheduled. Belongs to the simulation's thread. An event is
 * in the queue at most once, and can be moved or removed.
 */
final class EventQueue {
  /** Something that happens at a time; reusable. */
  static final class Event {
    private final Runnable action;
    private long timeNs;
    private long order;
    private int index = -1;

    Event(Runnable action) {
      this.action = action;
    }

    void run() {
      action.run();
    }

    long timeNs() {
      return timeNs;
    }

    boolean queued() {
      return index >= 0;
    }

    private boolean before(Event other) {
      return timeNs < other.timeNs || (timeNs == other.timeNs && order < other.order);
    }
  }

  private @Nullable Event[] heap = new @Nullable Event[64];
  private int size;
  private long lastOrder;

  /** Puts {@code event} at {@code timeNs}; one that is queued already is moved. */
  void schedule(Event event, long timeNs) {
    cancel(event);
    event.timeNs = timeNs;
    event.order = ++lastOrder;
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    place(event, size);
    size++;
    siftUp(event);
  }

  /** Removes {@code event} if it is queued. */
  void cancel(Event event) {
    int hole = event.index;
    if (hole < 0) {
      return;
    }
    event.index = -1;
    size--;
    Event last = at(size);
    heap[size] = null;
    if (hole < size) {
      place(last, hole);
      siftUp(last);
      siftDown(last);
    }
  }

  /** The next event, which stays queued. */
  @Nullable
  Event peek() {
    return size == 0 ? null : heap[0];
  }

  private void siftUp(Event event) {
    int i = event.index;
    while (i > 0 && event.before(at((i - 1) / 2))) {
      place(at((i - 1) / 2), i);
      i = (i - 1) / 2;
    }
    place(event, i);
  }

  private void siftDown(Event event) {
    int i = event.index;
    while (2 * i + 1 < size) {
      int child = 2 * i + 1;
      if (child + 1 < size && at(child + 1).before(at(child))) {
        child++;
      }
      if (!at(child).before(event)) {
        break;
      }
      place(at(child), i);
      i = child;
    }
    place(event, i);
  }

  private Event at(int index) {
    Event event = heap[index];
    assert event != null;
    return event;
  }

  private void place(Event event, int index) {
    heap[index] = event;
    event.index = index;
  }
}
