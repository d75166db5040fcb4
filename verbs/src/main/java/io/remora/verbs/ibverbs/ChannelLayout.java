package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_comp_channel}, in bytes. */
final class ChannelLayout {
  static final int CONTEXT = 0;
  static final int FD = 8;

  private ChannelLayout() {}
}
