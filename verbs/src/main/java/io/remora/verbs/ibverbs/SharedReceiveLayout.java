package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_srq_init_attr} and {@code struct ibv_srq_attr}, in bytes. */
final class SharedReceiveLayout {
  static final int ATTRIBUTES = 8;
  static final int MAX_REQUESTS = 0;
  static final int MAX_PIECES = 4;
  static final int LIMIT = 8;
  static final int BYTES = 24;

  private SharedReceiveLayout() {}
}
