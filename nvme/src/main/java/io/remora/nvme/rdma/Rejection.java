package io.remora.nvme.rdma;

import io.remora.base.RemoraException;
import io.remora.base.Status;

/** A connection request that the target rejects. */
final class Rejection extends RemoraException {
  private static final long serialVersionUID = 1;

  private final RejectStatus reason;

  Rejection(RejectStatus reason, String detail) {
    super(Status.DENIED, reason.text() + ": " + detail);
    this.reason = reason;
  }

  /** What the host is told. */
  RejectStatus reason() {
    return reason;
  }
}
