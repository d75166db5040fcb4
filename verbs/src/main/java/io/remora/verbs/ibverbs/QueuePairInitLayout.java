package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_qp_init_attr}, in bytes. */
final class QueuePairInitLayout {
  static final int SEND_CQ = 8;
  static final int RECEIVE_CQ = 16;
  static final int SRQ = 24;
  static final int MAX_SENDS = 32;
  static final int MAX_RECEIVES = 36;
  static final int MAX_SEND_PIECES = 40;
  static final int MAX_RECEIVE_PIECES = 44;
  static final int MAX_INLINE = 48;
  static final int TYPE = 52;
  static final int SIGNAL_ALL = 56;
  static final int BYTES = 64;

  private QueuePairInitLayout() {}
}
