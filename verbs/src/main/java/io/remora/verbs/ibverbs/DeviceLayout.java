package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_device}, in bytes. */
final class DeviceLayout {
  static final int TRANSPORT_TYPE = 20;
  static final int NAME = 24;
  static final int DEV_NAME = 88;
  static final int NAME_BYTES = 64;

  private DeviceLayout() {}
}
