package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.remora.verbs.soft.Pieces;
import java.lang.foreign.MemorySegment;

/** The receiving end of a connection's ring. Belongs to its loop. Every number that the sender has written is read once, and checked. */
final class InRing {
  /** What {@link #next} has found. */
  enum Found {
    NOTHING,
    FRAGMENT,
    /** The sender has written what cannot be. */
    NONSENSE
  }

  private static final int MAX_MESSAGE_BYTES = 1 << 30;

  private final Control control;
  private final MemorySegment ring;
  private long head;
  private long tail;
  private long completed;
  private int kind;
  private int flags;
  private int length;
  private int total;
  private int value;
  /** Of the message that is under way, or 0 and -1. */
  private int openKind;
  private int openTotal = -1;
  private int received;

  InRing(Control control) {
    this.control = control;
    this.ring = control.inRing();
  }

  /** Whether the sender has put something that was not taken. */
  boolean hasNext() {
    return control.peerTail() != head;
  }

  /** Sees what the sender has put until now: what acknowledgements said before that is seen by who looks at them after this. */
  void look() {
    tail = control.peerTail();
  }

  /** Looks at the next of the fragments that {@link #look} has seen, which stays there until {@link #drop}. */
  Found next() {
    long available = tail - head;
    if (available == 0) {
      return Found.NOTHING;
    }
    if (available < 0 || available > Control.RING_BYTES || (available & Fragment.HEADER_BYTES - 1) != 0) {
      return Found.NONSENSE;
    }
    long at = head & Control.RING_BYTES - 1;
    int word = ring.get(JAVA_INT, at);
    length = ring.get(JAVA_INT, at + 4);
    total = ring.get(JAVA_INT, at + 8);
    value = ring.get(JAVA_INT, at + 12);
    kind = word & Fragment.KIND_MASK;
    flags = word & ~Fragment.KIND_MASK;
    return sound(available) ? Found.FRAGMENT : Found.NONSENSE;
  }

  private boolean sound(long available) {
    if (kind < Fragment.SEND || kind > Fragment.WRITE_IMMEDIATE || (flags & ~Fragment.FLAGS) != 0
        || length < 0 || length > Fragment.MAX_BYTES
        || Fragment.HEADER_BYTES + Fragment.padded(length) > available || total < 0 || total > MAX_MESSAGE_BYTES) {
      return false;
    }
    boolean first = (flags & Fragment.FIRST) != 0;
    if (first ? openTotal >= 0 : openTotal != total || openKind != kind) {
      return false;
    }
    int data = kind == Fragment.WRITE_IMMEDIATE ? 0 : total;
    return length <= data - received && isLast() == (received + length == data);
  }

  int kind() {
    return kind;
  }

  boolean isFirst() {
    return (flags & Fragment.FIRST) != 0;
  }

  boolean isLast() {
    return (flags & Fragment.LAST) != 0;
  }

  boolean isSolicited() {
    return (flags & Fragment.SOLICITED) != 0;
  }

  /** The length of the message. */
  int total() {
    return total;
  }

  int value() {
    return value;
  }

  /** Copies the fragment's data to where it belongs in {@code pieces}, which are long enough for the message. */
  void copyTo(Pieces pieces) {
    if (length > 0) {
      long from = (head & Control.RING_BYTES - 1) + Fragment.HEADER_BYTES & Control.RING_BYTES - 1;
      int before = (int) Math.min(length, Control.RING_BYTES - from);
      pieces.copyFrom(received, ring, from, before);
      if (before < length) {
        pieces.copyFrom(received + before, ring, 0, length - before);
      }
    }
  }

  /** Goes on to the next fragment. */
  void drop() {
    head += Fragment.HEADER_BYTES + Fragment.padded(length);
    if (isLast()) {
      openTotal = -1;
      received = 0;
      completed++;
    } else {
      openKind = kind;
      openTotal = total;
      received += length;
    }
  }

  /** Tells the sender what was taken. */
  void publish() {
    control.taken(head, completed);
  }
}
