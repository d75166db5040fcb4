package io.remora.verbs.iwarp;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The layout of frames (RFC 5044 4, RFC 5041 4, RFC 5040 4). Stateless; offsets count from the length field, numbers are big-endian except the checksum.
 *
 * <pre>
 *        0        2         4            8       12      16
 * tagged   | length | control | sink STag    | tagged offset | payload ...
 *        0        2         4                      8       12    16       20
 * untagged | length | control | STag / immediate | queue | MSN | offset | payload ...
 *
 * ... payload | 0 to 3 zeros, to a multiple of 4 | CRC32C, 4 bytes
 * </pre>
 */
final class Fpdu {
  static final int LENGTH_BYTES = 2;
  static final int CRC_BYTES = 4;
  /** The longest frame: length field, 65,535 bytes, a pad of 3 and the checksum. */
  static final int MAX_BYTES = frameBytes(0xffff);

  static final ValueLayout.OfShort BE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  static final ValueLayout.OfInt BE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  static final ValueLayout.OfLong BE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int TAGGED = 0x8000;
  private static final int LAST = 0x4000;
  private static final int VERSIONS = 0x0140;

  private Fpdu() {}

  /** The length of a whole frame whose length field is {@code ulpduLength}, pad and checksum included. */
  static int frameBytes(int ulpduLength) {
    return (LENGTH_BYTES + ulpduLength + 3 & ~3) + CRC_BYTES;
  }

  /** How much pad a frame has before its checksum, in bytes. */
  static int padBytes(int ulpduLength) {
    return -(LENGTH_BYTES + ulpduLength) & 3;
  }

  // Every frame.

  /** Control and what follows, without pad and checksum, in bytes. */
  static int ulpduLength(MemorySegment s, long at) {
    return s.get(BE16, at) & 0xffff;
  }

  static int control(MemorySegment s, long at) {
    return s.get(BE16, at + 2) & 0xffff;
  }

  static int opcode(int control) {
    return control & 0xf;
  }

  static boolean tagged(int control) {
    return (control & TAGGED) != 0;
  }

  /** Whether it is the last segment of its message. */
  static boolean last(int control) {
    return (control & LAST) != 0;
  }

  static int ddpVersion(int control) {
    return control >>> 8 & 3;
  }

  static int rdmapVersion(int control) {
    return control >>> 6 & 3;
  }

  // Tagged: Write, Read Response.

  static int sinkKey(MemorySegment s, long at) {
    return s.get(BE32, at + 4);
  }

  static long sinkOffset(MemorySegment s, long at) {
    return s.get(BE64, at + 8);
  }

  static void tagged(MemorySegment s, long at, int opcode, boolean last, int payloadBytes, int key, long offset) {
    head(s, at, opcode, last, Rdmap.TAGGED_BYTES + payloadBytes);
    s.set(BE32, at + 4, key);
    s.set(BE64, at + 8, offset);
  }

  // Untagged: all others.

  /** The STag to invalidate, or immediate data: see {@link Rdmap#SEND_IMMEDIATE}. */
  static int word(MemorySegment s, long at) {
    return s.get(BE32, at + 4);
  }

  static int queue(MemorySegment s, long at) {
    return s.get(BE32, at + 8);
  }

  static int sequence(MemorySegment s, long at) {
    return s.get(BE32, at + 12);
  }

  static int messageOffset(MemorySegment s, long at) {
    return s.get(BE32, at + 16);
  }

  /** The head of an untagged frame of {@code frameBytes} bytes without pad and checksum. */
  static void untagged(MemorySegment s, long at, int opcode, boolean last, int frameBytes, int word, int sequence,
      int messageOffset) {
    head(s, at, opcode, last, frameBytes);
    s.set(BE32, at + 4, word);
    s.set(BE32, at + 8, Rdmap.queue(opcode));
    s.set(BE32, at + 12, sequence);
    s.set(BE32, at + 16, messageOffset);
  }

  // Read Request (RFC 5040 4.4).

  static int readSinkKey(MemorySegment s, long at) {
    return s.get(BE32, at + 20);
  }

  static long readSinkOffset(MemorySegment s, long at) {
    return s.get(BE64, at + 24);
  }

  static int readLength(MemorySegment s, long at) {
    return s.get(BE32, at + 32);
  }

  static int readSourceKey(MemorySegment s, long at) {
    return s.get(BE32, at + 36);
  }

  static long readSourceOffset(MemorySegment s, long at) {
    return s.get(BE64, at + 40);
  }

  static void readRequest(MemorySegment s, long at, int sequence, int sinkKey, long sinkOffset, int length,
      int sourceKey, long sourceOffset) {
    untagged(s, at, Rdmap.READ_REQUEST, true, Rdmap.READ_REQUEST_BYTES, 0, sequence, 0);
    s.set(BE32, at + 20, sinkKey);
    s.set(BE64, at + 24, sinkOffset);
    s.set(BE32, at + 32, length);
    s.set(BE32, at + 36, sourceKey);
    s.set(BE64, at + 40, sourceOffset);
  }

  // Immediate Data (RFC 7306 5).

  static int immediate(MemorySegment s, long at) {
    return s.get(BE32, at + 20);
  }

  static void immediate(MemorySegment s, long at, boolean solicited, int sequence, int value) {
    untagged(s, at, solicited ? Rdmap.IMMEDIATE_SOLICITED : Rdmap.IMMEDIATE, true, Rdmap.IMMEDIATE_BYTES, 0, sequence,
        0);
    s.set(BE32, at + 20, value);
    s.set(BE32, at + 24, 0);
  }

  // Atomic Request and Response (RFC 7306 6).

  static final int ATOMIC_FETCH_ADD = 0;
  static final int ATOMIC_COMPARE_SWAP = 2;

  static int atomicCode(MemorySegment s, long at) {
    return s.get(BE32, at + 20) & 0xf;
  }

  static int atomicId(MemorySegment s, long at) {
    return s.get(BE32, at + 24);
  }

  static int atomicKey(MemorySegment s, long at) {
    return s.get(BE32, at + 28);
  }

  static long atomicOffset(MemorySegment s, long at) {
    return s.get(BE64, at + 32);
  }

  /** What to add, or to swap in. */
  static long atomicData(MemorySegment s, long at) {
    return s.get(BE64, at + 40);
  }

  static long atomicDataMask(MemorySegment s, long at) {
    return s.get(BE64, at + 48);
  }

  static long atomicCompare(MemorySegment s, long at) {
    return s.get(BE64, at + 56);
  }

  static long atomicCompareMask(MemorySegment s, long at) {
    return s.get(BE64, at + 64);
  }

  /** Without masks, which this end does not use: an addition carries from bit to bit, and all bits are compared and swapped. */
  static void atomicRequest(MemorySegment s, long at, int sequence, int code, int id, int key, long offset, long data,
      long compare) {
    untagged(s, at, Rdmap.ATOMIC_REQUEST, true, Rdmap.ATOMIC_REQUEST_BYTES, 0, sequence, 0);
    long mask = code == ATOMIC_COMPARE_SWAP ? -1 : 0;
    s.set(BE32, at + 20, code);
    s.set(BE32, at + 24, id);
    s.set(BE32, at + 28, key);
    s.set(BE64, at + 32, offset);
    s.set(BE64, at + 40, data);
    s.set(BE64, at + 48, mask);
    s.set(BE64, at + 56, compare);
    s.set(BE64, at + 64, mask);
  }

  static int responseId(MemorySegment s, long at) {
    return s.get(BE32, at + 20);
  }

  /** What was there before. */
  static long responseData(MemorySegment s, long at) {
    return s.get(BE64, at + 24);
  }

  static void atomicResponse(MemorySegment s, long at, int sequence, int id, long data) {
    untagged(s, at, Rdmap.ATOMIC_RESPONSE, true, Rdmap.ATOMIC_RESPONSE_BYTES, 0, sequence, 0);
    s.set(BE32, at + 20, id);
    s.set(BE64, at + 24, data);
  }

  // Terminate (RFC 5040 4.8).

  /** Layer, type, code and which parts follow: see {@link Terminate}. */
  static int terminateWord(MemorySegment s, long at) {
    return s.get(BE32, at + 20);
  }

  /** The length field, control word and header of the frame that was wrong; {@code header} is its length from the length field on, 0: it is not told. */
  static int terminate(MemorySegment s, long at, int cause, MemorySegment wrong, long wrongAt, int header) {
    int parts = header == 0 ? 0 : header == Rdmap.READ_REQUEST_BYTES ? Terminate.PARTS_READ : Terminate.PARTS_DDP;
    int bytes = Rdmap.TERMINATE_MIN_BYTES + header;
    untagged(s, at, Rdmap.TERMINATE, true, bytes, 0, 1, 0);
    s.set(BE32, at + 20, cause << 16 | parts);
    MemorySegment.copy(wrong, wrongAt, s, at + Rdmap.TERMINATE_MIN_BYTES, header);
    return bytes;
  }

  private static void head(MemorySegment s, long at, int opcode, boolean last, int frameBytes) {
    s.set(BE16, at, (short) (frameBytes - LENGTH_BYTES));
    s.set(BE16, at + 2, (short) (VERSIONS | opcode | (Rdmap.tagged(opcode) ? TAGGED : 0) | (last ? LAST : 0)));
  }
}
