package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_recv_wr}, in bytes. */
final class ReceiveLayout {
  static final int ID = 0;
  static final int NEXT = 8;
  static final int PIECES = 16;
  static final int PIECE_COUNT = 24;
  static final int BYTES = 32;

  private ReceiveLayout() {}
}
