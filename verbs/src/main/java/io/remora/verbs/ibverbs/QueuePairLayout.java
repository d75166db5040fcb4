package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_qp}, in bytes. */
final class QueuePairLayout {
  static final int CONTEXT = 0;
  static final int NUMBER = 52;

  private QueuePairLayout() {}
}
