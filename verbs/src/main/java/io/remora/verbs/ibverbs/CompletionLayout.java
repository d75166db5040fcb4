package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_wc}, in bytes, and bits of {@code enum ibv_wc_flags}. */
final class CompletionLayout {
  static final int ID = 0;
  static final int STATUS = 8;
  static final int OPCODE = 12;
  static final int VENDOR_ERROR = 16;
  static final int LENGTH = 20;
  static final int VALUE = 24;
  static final int QUEUE_PAIR = 28;
  static final int SOURCE_QUEUE_PAIR = 32;
  static final int FLAGS = 36;
  static final int BYTES = 48;
  static final int FLAG_IMMEDIATE = 2;
  static final int FLAG_INVALIDATED = 8;

  private CompletionLayout() {}
}
