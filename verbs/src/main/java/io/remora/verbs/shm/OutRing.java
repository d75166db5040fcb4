package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.remora.verbs.soft.Pieces;
import java.lang.foreign.MemorySegment;

/** The sending end of a connection's ring. Belongs to its loop. */
final class OutRing {
  /** So much is kept from the receiver until {@link #publish}: each time that it is shown something costs both ends a cache line. */
  private static final int MAX_UNSEEN_BYTES = 256;
  /** The receiver has not made room. */
  static final int FULL = -1;
  /** The receiver has written what cannot be. */
  static final int BROKEN = -2;

  private final Control control;
  private final MemorySegment ring;
  private long tail;
  private long head;
  private int unseen;

  OutRing(Control control) {
    this.control = control;
    this.ring = control.outRing();
  }

  /** Whether the receiver has made room since it was looked for last. */
  boolean moved() {
    return control.peerHead() != head;
  }

  /**
   * Puts a fragment of a message: its data from byte {@code from} on.
   *
   * @param total the length of the message
   * @param data how much of that goes through the ring: all of it or, of a write, nothing
   * @return how many bytes of data; {@link #FULL}; {@link #BROKEN}. The receiver sees it by the next {@link #publish}, or before
   */
  int put(int kind, boolean solicited, int value, Pieces pieces, int from, int data, int total) {
    int left = data - from;
    int most = Math.min(left, Fragment.MAX_BYTES);
    int room = room(Fragment.HEADER_BYTES + Fragment.padded(Math.min(left, Fragment.MIN_ROOM_BYTES)));
    if (room < 0) {
      return room;
    }
    int length = Math.min(most, room - Fragment.HEADER_BYTES);
    int flags = (from == 0 ? Fragment.FIRST : 0) | (length == left ? Fragment.LAST : 0)
        | (solicited ? Fragment.SOLICITED : 0);
    long at = tail & Control.RING_BYTES - 1;
    ring.set(JAVA_INT, at, kind | flags);
    ring.set(JAVA_INT, at + 4, length);
    ring.set(JAVA_INT, at + 8, total);
    ring.set(JAVA_INT, at + 12, value);
    if (length > 0) {
      long to = at + Fragment.HEADER_BYTES & Control.RING_BYTES - 1;
      int before = (int) Math.min(length, Control.RING_BYTES - to);
      pieces.copyTo(from, ring, to, before);
      if (before < length) {
        pieces.copyTo(from + before, ring, 0, length - before);
      }
    }
    tail += Fragment.HEADER_BYTES + Fragment.padded(length);
    unseen += Fragment.HEADER_BYTES + length;
    if (unseen > MAX_UNSEEN_BYTES) {
      publish();
    }
    return length;
  }

  /** Shows the receiver what was put. */
  void publish() {
    if (unseen > 0) {
      unseen = 0;
      control.tail(tail);
    }
  }

  /** The room in the ring if it is at least {@code needed}. */
  private int room(int needed) {
    int room = Control.RING_BYTES - (int) (tail - head);
    if (room >= needed) {
      return room;
    }
    long now = control.peerHead();
    if (now - head < 0 || tail - now < 0 || (now & Fragment.HEADER_BYTES - 1) != 0) {
      return BROKEN;
    }
    head = now;
    room = Control.RING_BYTES - (int) (tail - head);
    return room >= needed ? room : FULL;
  }
}
