package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_port_attr}, in bytes. */
final class PortLayout {
  static final int STATE = 0;
  static final int ACTIVE_MTU = 8;
  static final int GID_TABLE_LENGTH = 12;
  static final int MAX_MESSAGE_SIZE = 20;
  static final int PHYSICAL_STATE = 45;
  static final int LINK_LAYER = 46;
  static final int BYTES = 52;

  private PortLayout() {}
}
