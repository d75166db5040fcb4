package io.remora.nvme.multipath;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Chooses a path for each request among those of the best rank. Belongs to one channel; choosing allocates nothing. */
final class PathSelector {
  private final PathPolicy policy;
  private PathSlot[] best = new PathSlot[0];
  private int next;

  PathSelector(PathPolicy policy) {
    this.policy = policy;
  }

  /** The paths have changed. */
  void refresh(List<PathSlot> slots) {
    int rank = Integer.MAX_VALUE;
    int count = 0;
    for (PathSlot slot : slots) {
      if (slot.rank() >= 0 && slot.rank() < rank) {
        rank = slot.rank();
        count = 0;
      }
      count += slot.rank() == rank ? 1 : 0;
    }
    best = new PathSlot[count];
    int at = 0;
    for (PathSlot slot : slots) {
      if (slot.rank() == rank) {
        best[at] = slot;
        at++;
      }
    }
  }

  /** Whether a request could be sent. */
  boolean any() {
    return best.length > 0;
  }

  /** The path for a request; null when there is none. */
  @Nullable
  PathSlot choose() {
    int count = best.length;
    if (count < 2) {
      return count == 0 ? null : best[0];
    }
    next = next + 1 < count ? next + 1 : 0;
    return switch (policy) {
      case ROUND_ROBIN, LOCAL -> best[next];
      case QUEUE_DEPTH -> shortest();
    };
  }

  /** Among equals the one whose turn it is. */
  private PathSlot shortest() {
    PathSlot shortest = best[next];
    for (PathSlot slot : best) {
      if (slot.inFlight < shortest.inFlight) {
        shortest = slot;
      }
    }
    return shortest;
  }
}
