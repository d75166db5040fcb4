package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_async_event}, in bytes. */
final class AsyncEventLayout {
  static final int ELEMENT = 0;
  static final int TYPE = 8;
  static final int BYTES = 16;

  private AsyncEventLayout() {}
}
