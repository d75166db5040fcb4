package io.remora.verbs.shm;

import io.remora.verbs.SendOpcode;

/**
 * What lies in a ring: a header of 16 bytes and data, padded to a multiple of 16. A message longer than a fragment is several.
 *
 * <pre>
 *   0   kind, and flags above it
 *   4   bytes of data in this fragment
 *   8   bytes of the message; of a write with immediate data: that were written
 *   12  immediate data, or the key to invalidate
 * </pre>
 */
final class Fragment {
  static final int HEADER_BYTES = 16;
  /** So much room the sender waits for, and so often the receiver can begin before a message is there. */
  static final int MIN_ROOM_BYTES = 4096;
  static final int MAX_BYTES = 16 << 10;

  static final int SEND = 1;
  static final int SEND_IMMEDIATE = 2;
  static final int SEND_INVALIDATE = 3;
  static final int WRITE_IMMEDIATE = 4;
  static final int KIND_MASK = 0xff;
  static final int FIRST = 0x100;
  static final int LAST = 0x200;
  static final int SOLICITED = 0x400;
  static final int FLAGS = FIRST | LAST | SOLICITED;

  private Fragment() {}

  static int padded(int bytes) {
    return bytes + HEADER_BYTES - 1 & -HEADER_BYTES;
  }

  static int kind(SendOpcode opcode) {
    return switch (opcode) {
      case SEND -> SEND;
      case SEND_WITH_IMMEDIATE -> SEND_IMMEDIATE;
      case SEND_WITH_INVALIDATE -> SEND_INVALIDATE;
      case WRITE_WITH_IMMEDIATE -> WRITE_IMMEDIATE;
      case WRITE, READ, COMPARE_AND_SWAP, FETCH_AND_ADD, LOCAL_INVALIDATE, BIND_WINDOW ->
        throw new IllegalArgumentException(opcode + " is no message");
    };
  }
}
