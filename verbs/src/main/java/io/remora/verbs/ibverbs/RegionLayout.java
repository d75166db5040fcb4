package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_mr}, in bytes. */
final class RegionLayout {
  static final int LOCAL_KEY = 36;
  static final int REMOTE_KEY = 40;

  private RegionLayout() {}
}
