package io.remora.verbs.soft;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.ReceiveRequest;
import org.jspecify.annotations.Nullable;

/** Receives in the order in which they were posted, of one queue pair or shared. Belongs to its loop; allocates nothing after construction. */
final class ReceiveQueue {
  private final SoftProtectionDomain domain;
  private final ReceiveSlot[] free;
  private final ReceiveSlot[] posted;
  private final int maxPieces;
  private int freeCount;
  private int head;
  private int count;

  ReceiveQueue(SoftProtectionDomain domain, int max, int maxPieces) {
    this.domain = domain;
    this.maxPieces = maxPieces;
    this.free = new ReceiveSlot[max];
    this.posted = new ReceiveSlot[max];
    for (int i = 0; i < max; i++) {
      free[i] = new ReceiveSlot(maxPieces);
    }
    freeCount = max;
  }

  Status post(ReceiveRequest request) {
    if (request.pieces() > maxPieces || !domain.permits(request, Access.LOCAL_WRITE)) {
      return Status.INVALID;
    }
    if (freeCount == 0) {
      return Status.NO_RESOURCES;
    }
    ReceiveSlot slot = free[--freeCount];
    slot.id = request.id();
    slot.pieces().set(request);
    int at = head + count < posted.length ? head + count : head + count - posted.length;
    posted[at] = slot;
    count++;
    return Status.OK;
  }

  /** The receives that wait for a message. */
  int count() {
    return count;
  }

  /** The next receive, which stays the taker's until {@link #release}; null when there is none. */
  @Nullable
  ReceiveSlot take() {
    if (count == 0) {
      return null;
    }
    ReceiveSlot slot = posted[head];
    head = head + 1 == posted.length ? 0 : head + 1;
    count--;
    return slot;
  }

  void release(ReceiveSlot slot) {
    slot.pieces().clear();
    free[freeCount++] = slot;
  }
}
