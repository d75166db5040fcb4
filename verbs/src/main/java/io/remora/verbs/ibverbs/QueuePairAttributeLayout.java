package io.remora.verbs.ibverbs;

/** Offsets of {@code struct ibv_qp_attr} and bits of {@code enum ibv_qp_attr_mask}; offsets in bytes. */
final class QueuePairAttributeLayout {
  static final int STATE = 0;
  static final int PATH_MTU = 8;
  static final int QUEUE_KEY = 16;
  static final int RECEIVE_PSN = 20;
  static final int SEND_PSN = 24;
  static final int DESTINATION = 28;
  static final int ACCESS = 32;
  static final int ADDRESS = 56;
  static final int PKEY_INDEX = 120;
  static final int MAX_READS = 126;
  static final int MAX_SERVED_READS = 127;
  static final int MIN_RNR_TIMER = 128;
  static final int PORT = 129;
  static final int TIMEOUT = 130;
  static final int RETRIES = 131;
  static final int RNR_RETRIES = 132;
  static final int BYTES = 144;
  static final int MASK_STATE = 1 << 0;
  static final int MASK_ACCESS = 1 << 3;
  static final int MASK_PKEY_INDEX = 1 << 4;
  static final int MASK_PORT = 1 << 5;
  static final int MASK_QUEUE_KEY = 1 << 6;
  static final int MASK_ADDRESS = 1 << 7;
  static final int MASK_PATH_MTU = 1 << 8;
  static final int MASK_TIMEOUT = 1 << 9;
  static final int MASK_RETRIES = 1 << 10;
  static final int MASK_RNR_RETRIES = 1 << 11;
  static final int MASK_RECEIVE_PSN = 1 << 12;
  static final int MASK_MAX_READS = 1 << 13;
  static final int MASK_MIN_RNR_TIMER = 1 << 15;
  static final int MASK_SEND_PSN = 1 << 16;
  static final int MASK_MAX_SERVED_READS = 1 << 17;
  static final int MASK_DESTINATION = 1 << 20;

  private QueuePairAttributeLayout() {}
}
