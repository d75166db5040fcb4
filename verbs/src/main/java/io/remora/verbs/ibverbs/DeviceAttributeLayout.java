package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_device_attr}, in bytes. */
final class DeviceAttributeLayout {
  static final int MAX_MR_SIZE = 80;
  static final int VENDOR_ID = 96;
  static final int MAX_QP = 108;
  static final int MAX_QP_WR = 112;
  static final int CAPABILITY_FLAGS = 116;
  static final int MAX_SGE = 120;
  static final int MAX_SGE_RD = 124;
  static final int MAX_CQE = 132;
  static final int MAX_MR = 136;
  static final int MAX_QP_RD_ATOMIC = 144;
  static final int MAX_QP_INIT_RD_ATOMIC = 156;
  static final int ATOMIC_CAPABILITY = 164;
  static final int MAX_MW = 176;
  static final int MAX_AH = 200;
  static final int MAX_SRQ = 212;
  static final int MAX_SRQ_WR = 216;
  static final int MAX_SRQ_SGE = 220;
  static final int PHYSICAL_PORTS = 227;
  static final int BYTES = 232;

  private DeviceAttributeLayout() {}
}
