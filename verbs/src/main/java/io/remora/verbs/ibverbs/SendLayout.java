package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_send_wr}, in bytes, and bits of {@code enum ibv_send_flags}. */
final class SendLayout {
  static final int ID = 0;
  static final int NEXT = 8;
  static final int PIECES = 16;
  static final int PIECE_COUNT = 24;
  static final int OPCODE = 28;
  static final int FLAGS = 32;
  static final int IMMEDIATE = 36;
  static final int REMOTE_ADDRESS = 40;
  static final int REMOTE_KEY = 48;
  static final int ATOMIC_COMPARE_ADD = 48;
  static final int ATOMIC_SWAP = 56;
  static final int ATOMIC_KEY = 64;
  static final int DATAGRAM_ADDRESS = 40;
  static final int DATAGRAM_QUEUE_PAIR = 48;
  static final int DATAGRAM_KEY = 52;
  static final int WINDOW = 80;
  static final int WINDOW_KEY = 88;
  static final int WINDOW_REGION = 96;
  static final int WINDOW_ADDRESS = 104;
  static final int WINDOW_LENGTH = 112;
  static final int WINDOW_ACCESS = 120;
  static final int BYTES = 128;
  static final int FLAG_FENCE = 1;
  static final int FLAG_SIGNALLED = 2;
  static final int FLAG_SOLICITED = 4;
  static final int FLAG_INLINE = 8;

  private SendLayout() {}
}
