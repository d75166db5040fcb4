package io.remora.verbs.ibverbs;

/** Offsets of {@code struct rdma_cm_id}, in bytes. */
final class CmIdLayout {
  static final int CONTEXT = 0;
  static final int SOURCE = 32;
  static final int DESTINATION = 160;
  static final int PORT = 348;

  private CmIdLayout() {}
}
