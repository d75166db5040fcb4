package io.remora.block.pool;

import io.remora.base.Status;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Those who wait for the same thing. Reused; belongs to the pool's loop. Bounded by the requests in flight, each of which waits for
 * a thing once.
 */
final class Waiters {
  private @Nullable Done[] items = new Done[8];
  private int count;

  boolean isEmpty() {
    return count == 0;
  }

  void add(Done done) {
    if (count == items.length) {
      items = Arrays.copyOf(items, count * 2);
    }
    items[count++] = done;
  }

  /** Takes over those of {@code other}, which is empty afterwards. */
  void takeOver(Waiters other) {
    for (int i = 0; i < other.count; i++) {
      Done item = other.items[i];
      if (item != null) {
        add(item);
      }
      other.items[i] = null;
    }
    other.count = 0;
  }

  /** Tells all; nobody may be added meanwhile. */
  void end(Status status) {
    int told = count;
    for (int i = 0; i < told; i++) {
      Done item = items[i];
      items[i] = null;
      if (item != null) {
        item.done(status);
      }
    }
    assert count == told : "a waiter came while the others were told";
    count = 0;
  }
}
