package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_sge}, in bytes. */
final class PieceLayout {
  static final int ADDRESS = 0;
  static final int LENGTH = 8;
  static final int LOCAL_KEY = 12;
  static final int BYTES = 16;

  private PieceLayout() {}
}
