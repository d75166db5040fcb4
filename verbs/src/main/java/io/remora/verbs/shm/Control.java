package io.remora.verbs.shm;

import java.lang.foreign.MemorySegment;

/**
 * The memory that the two ends of a connection share: a block for each direction. All words of a block are written by one end each, in cache lines of their own.
 *
 * <pre>
 *   0     tail       sender    bytes put into the ring, ever
 *   64    hazard     sender    a count that is odd while it copies from or to the receiver's memory
 *   128   state      sender    {@link #DOWN} with a reason when it has ended the connection
 *   192   head       receiver  bytes taken from the ring, ever
 *   200   completed  receiver  messages that it has taken whole
 *   208   refused    receiver  the status of the message after those, if it refused that; else 0
 *   4096  ring
 * </pre>
 */
final class Control {
  static final int RING_BYTES = 64 << 10;
  private static final long TAIL = 0;
  private static final long HAZARD = 64;
  private static final long STATE = 128;
  private static final long HEAD = 192;
  private static final long COMPLETED = 200;
  private static final long REFUSED = 208;
  private static final long RING = 4096;
  private static final long BLOCK_BYTES = RING + RING_BYTES;
  static final long BYTES = 2 * BLOCK_BYTES;

  /** Above this a state is an end; the lower bits are the number of its {@link EndReason}. */
  static final long DOWN = 1L << 32;

  private final MemorySegment memory;
  /** Where this end sends. */
  private final long out;
  /** Where the other end sends. */
  private final long in;
  private long copies;

  Control(MemorySegment memory, boolean connecting) {
    this.memory = memory;
    this.out = connecting ? 0 : BLOCK_BYTES;
    this.in = connecting ? BLOCK_BYTES : 0;
  }

  MemorySegment outRing() {
    return memory.asSlice(out + RING, RING_BYTES);
  }

  MemorySegment inRing() {
    return memory.asSlice(in + RING, RING_BYTES);
  }

  // Of this end as the sender.

  void tail(long value) {
    Words.setRelease(memory, out + TAIL, value);
  }

  long peerHead() {
    return Words.getAcquire(memory, out + HEAD);
  }

  long peerCompleted() {
    return Words.getAcquire(memory, out + COMPLETED);
  }

  long peerRefused() {
    return Words.getAcquire(memory, out + REFUSED);
  }

  /** From now on until {@link #copied} the peer waits for this end before it uses memory again whose key it has made invalid. Look at the key after this. */
  void copying() {
    copies++;
    Words.setVolatile(memory, out + HAZARD, copies);
  }

  void copied() {
    copies++;
    Words.setRelease(memory, out + HAZARD, copies);
  }

  void down(EndReason reason) {
    Words.setVolatile(memory, out + STATE, DOWN | reason.number());
  }

  // Of this end as the receiver.

  long peerTail() {
    return Words.getAcquire(memory, in + TAIL);
  }

  void taken(long head, long completed) {
    Words.setRelease(memory, in + HEAD, head);
    Words.setRelease(memory, in + COMPLETED, completed);
  }

  void refused(int status) {
    Words.setRelease(memory, in + REFUSED, status);
  }

  /** Whether the peer copies now, see {@link #isCopy}; look at it after the key was made invalid. */
  long peerHazard() {
    return Words.getVolatile(memory, in + HAZARD);
  }

  /** Whether {@code hazard} is a copy that is under way. */
  static boolean isCopy(long hazard) {
    return (hazard & 1) != 0;
  }

  /** Whether the peer has not ended the connection. */
  boolean peerUp() {
    return Words.getVolatile(memory, in + STATE) == 0;
  }

  /** Why it has; {@link EndReason#DIED} when it did not say. */
  EndReason peerReason() {
    return EndReason.of(Words.getVolatile(memory, in + STATE) & ~DOWN);
  }
}
