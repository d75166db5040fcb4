package io.remora.verbs.ibverbs;

/** Offsets of {@code struct rdma_cm_event}, in bytes; those of a connection, then those of a datagram. */
final class CmEventLayout {
  static final int ID = 0;
  static final int LISTENER = 8;
  static final int EVENT = 16;
  static final int STATUS = 20;
  static final int PRIVATE_DATA = 24;
  static final int PRIVATE_DATA_LENGTH = 32;
  static final int RESPONDER_RESOURCES = 33;
  static final int INITIATOR_DEPTH = 34;
  static final int DATAGRAM_ADDRESS = 40;
  static final int DATAGRAM_QUEUE_PAIR = 72;
  static final int DATAGRAM_KEY = 76;

  private CmEventLayout() {}
}
