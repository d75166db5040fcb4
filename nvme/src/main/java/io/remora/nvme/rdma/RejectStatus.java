package io.remora.nvme.rdma;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Why a controller does not want a connection (NVMe RDMA Transport 1.0, 3.2: STS). */
enum RejectStatus {
  INVALID_LENGTH(1, "private data of an invalid length"),
  INVALID_FORMAT(2, "private data of an unknown format"),
  INVALID_QUEUE(3, "an invalid queue identifier"),
  INVALID_SEND_SIZE(4, "an invalid host send queue size"),
  INVALID_RECEIVE_SIZE(5, "an invalid host receive queue size"),
  NO_RESOURCES(6, "no resources"),
  INVALID_RESPONDER_RESOURCES(7, "an invalid IRD: the host serves no reads"),
  INVALID_INITIATOR_DEPTH(8, "an invalid ORD"),
  INVALID_CONTROLLER(9, "an invalid controller identifier");

  private final int code;
  private final String text;

  RejectStatus(int code, String text) {
    this.code = code;
    this.text = text;
  }

  /** The private data that says it. */
  MemorySegment encode() {
    return new PrivateData.Reject(PrivateData.FORMAT, code).encode();
  }

  /** For people. */
  String text() {
    return text;
  }

  /** That of {@code code}; null for one that is not known. */
  static @Nullable RejectStatus of(int code) {
    for (RejectStatus status : values()) {
      if (status.code == code) {
        return status;
      }
    }
    return null;
  }
}
