package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_ah_attr}, in bytes. */
final class AddressLayout {
  static final int GID = 0;
  static final int GID_INDEX = 20;
  static final int HOP_LIMIT = 21;
  static final int IS_GLOBAL = 29;
  static final int PORT = 30;
  static final int BYTES = 32;

  private AddressLayout() {}
}
