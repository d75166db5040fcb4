package io.remora.verbs.soft;

import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Send requests of one queue pair in the order in which they were posted, each in a place of its own: posted → begun → ended → shown. They begin in order, may end in any order, and
 * leave in order. Belongs to its queue pair's loop; allocates nothing after construction.
 */
final class SendQueue {
  private final SendSlot[] slots;
  /** From {@code first} on {@code posted} requests, of which {@code begun} have begun; {@code readsUnderWay} of these bring data and have not ended. */
  private int first;
  private int posted;
  private int begun;
  private int readsUnderWay;
  private int maxReads;

  /** An empty one; inline data lies in {@code memory}. */
  SendQueue(QueuePairConfig config, Arena memory) {
    int inlineBytes = config.maxInlineBytes();
    MemorySegment inline = inlineBytes == 0
        ? MemorySegment.NULL
        : memory.allocate((long) config.maxSends() * inlineBytes, 8);
    slots = new SendSlot[config.maxSends()];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new SendSlot(config.maxPieces(),
          inlineBytes == 0 ? MemorySegment.NULL : inline.asSlice((long) i * inlineBytes, inlineBytes));
    }
  }

  /** How many reads and atomics may be under way at once. */
  void setMaxReads(int count) {
    maxReads = count;
  }

  boolean isFull() {
    return posted == slots.length;
  }

  /** Whether there are requests that have not begun. */
  boolean hasWaiting() {
    return begun < posted;
  }

  /** Takes a request; not when it is full. */
  void post(SendRequest request) {
    slot(posted).set(request);
    posted++;
  }

  /** The next request to begin; null when there is none, or it waits for reads to end. */
  @Nullable
  SendSlot next() {
    if (begun == posted) {
      return null;
    }
    SendSlot slot = slot(begun);
    return (slot.fenced && readsUnderWay > 0) || (slot.opcode.brings() && readsUnderWay >= maxReads) ? null : slot;
  }

  /** The next request has begun. */
  void begin(SendSlot slot) {
    assert slot == slot(begun) && begun < posted && !slot.ended;
    begun++;
    if (slot.opcode.brings()) {
      readsUnderWay++;
    }
  }

  /** A request that has begun has succeeded. */
  void end(SendSlot slot) {
    assert !slot.ended;
    slot.ended = true;
    if (slot.opcode.brings()) {
      readsUnderWay--;
    }
  }

  /** A request that has begun has failed. None begins after it: see {@link #flush}. */
  void fail(SendSlot slot, WorkStatus status) {
    assert !slot.ended && status != WorkStatus.SUCCESS;
    slot.ended = true;
    slot.status = status;
  }

  /** The oldest request that has begun and not ended, or null. */
  @Nullable
  SendSlot oldest() {
    for (int i = 0; i < begun; i++) {
      if (!slot(i).ended) {
        return slot(i);
      }
    }
    return null;
  }

  /** Ends all that have not ended, and those that have succeeded behind one that has not: as flushed. */
  void flush() {
    boolean broken = false;
    begun = posted;
    for (int i = 0; i < posted; i++) {
      SendSlot slot = slot(i);
      if (!slot.ended || (broken && slot.status == WorkStatus.SUCCESS)) {
        slot.ended = true;
        slot.status = WorkStatus.FLUSH_ERROR;
      }
      broken |= slot.status != WorkStatus.SUCCESS;
    }
    readsUnderWay = 0;
  }

  /** The oldest request when it has ended, to be shown now; else null. */
  @Nullable
  SendSlot ended() {
    return begun > 0 && slot(0).ended ? slot(0) : null;
  }

  /** The oldest request, which has ended, leaves its place. */
  void remove() {
    slot(0).clear();
    first = first + 1 == slots.length ? 0 : first + 1;
    posted--;
    begun--;
  }

  /** Forgets all requests. */
  void clear() {
    begun = posted;
    while (posted > 0) {
      remove();
    }
    readsUnderWay = 0;
  }

  private SendSlot slot(int index) {
    int at = first + index;
    return slots[at < slots.length ? at : at - slots.length];
  }
}
