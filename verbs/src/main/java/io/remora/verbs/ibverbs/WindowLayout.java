package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_mw}, in bytes. */
final class WindowLayout {
  static final int REMOTE_KEY = 16;

  private WindowLayout() {}
}
