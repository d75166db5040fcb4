package io.remora.verbs.ibverbs;

/**
 * Offsets of {@code struct ibv_context}, in bytes: its head, and the functions of its table that the C header calls inline. All of them lie before the
 * mutex, whose size differs between processors.
 */
final class ContextLayout {
  static final int DEVICE = 0;
  static final int ALLOC_MW = 64;
  static final int DEALLOC_MW = 80;
  static final int POLL_CQ = 96;
  static final int REQ_NOTIFY_CQ = 104;
  static final int POST_SRQ_RECV = 168;
  static final int POST_SEND = 208;
  static final int POST_RECV = 216;
  static final int ASYNC_FD = 268;

  private ContextLayout() {}
}
