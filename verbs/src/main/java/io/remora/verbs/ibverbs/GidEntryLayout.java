package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_gid_entry}, in bytes. */
final class GidEntryLayout {
  static final int GID = 0;
  static final int GID_BYTES = 16;
  static final int INDEX = 16;
  static final int PORT = 20;
  static final int TYPE = 24;
  static final int INTERFACE_INDEX = 28;
  static final int BYTES = 32;

  private GidEntryLayout() {}
}
