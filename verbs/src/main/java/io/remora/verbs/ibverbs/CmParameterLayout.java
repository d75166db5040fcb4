package io.remora.verbs.ibverbs;

/** Offsets of {@code struct rdma_conn_param}, in bytes. */
final class CmParameterLayout {
  static final int PRIVATE_DATA = 0;
  static final int PRIVATE_DATA_LENGTH = 8;
  static final int RESPONDER_RESOURCES = 9;
  static final int INITIATOR_DEPTH = 10;
  static final int RETRIES = 12;
  static final int RNR_RETRIES = 13;
  static final int SHARED_RECEIVES = 14;
  static final int QUEUE_PAIR = 16;
  static final int BYTES = 24;

  private CmParameterLayout() {}
}
