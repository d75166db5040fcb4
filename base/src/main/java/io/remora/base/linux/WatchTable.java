package io.remora.base.linux;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a poller watches, by number. The kernel gets the number and a generation, so that an event that was under way when its
 * socket was closed finds nobody instead of the next socket of the same number.
 */
final class WatchTable {
  private static final int GENERATION_BITS = 30;

  private @Nullable Watched[] watched = new Watched[64];
  private int[] generations = new int[64];
  private int[] free = new int[64];
  private int freeCount;
  private int used;

  /** Adds {@code target} and returns its key: 30 bits of generation, then 32 bits of place. */
  long add(Watched target) {
    int slot;
    if (freeCount > 0) {
      slot = free[--freeCount];
    } else {
      if (used == watched.length) {
        watched = Arrays.copyOf(watched, used * 2);
        generations = Arrays.copyOf(generations, used * 2);
        free = Arrays.copyOf(free, used * 2);
      }
      slot = used++;
    }
    watched[slot] = target;
    target.slot = slot;
    return key(slot);
  }

  /** Removes {@code target}; its key means nothing any more. */
  void remove(Watched target) {
    int slot = target.slot;
    target.slot = -1;
    watched[slot] = null;
    generations[slot] = (generations[slot] + 1) & ((1 << GENERATION_BITS) - 1);
    free[freeCount++] = slot;
  }

  /** The key of what is in {@code slot}. */
  long key(int slot) {
    return (long) generations[slot] << 32 | slot;
  }

  /** Whom {@code key} means, or null when that one has gone. */
  @Nullable
  Watched find(long key) {
    int slot = (int) key;
    return slot >= 0 && slot < used && generations[slot] == (int) (key >>> 32) ? watched[slot] : null;
  }

  /** Anyone that is still here, or null. */
  @Nullable
  Watched any() {
    for (int i = 0; i < used; i++) {
      if (watched[i] != null) {
        return watched[i];
      }
    }
    return null;
  }
}
