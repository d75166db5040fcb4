package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_cq}, in bytes. */
final class CompletionQueueLayout {
  static final int CONTEXT = 0;
  static final int CHANNEL = 8;
  static final int USER_CONTEXT = 16;
  static final int ENTRIES = 28;

  private CompletionQueueLayout() {}
}
