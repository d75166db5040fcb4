package io.remora.nvme.host;

/**
 * Aborts commands that take too long, as many at once as the controller takes (ACL). Belongs to the controller's first loop.
 */
final class SlowCommands {
  private int inFlight;
  private long sent;

  /** How many Abort commands were sent. */
  long sent() {
    return sent;
  }

  /** Has {@code association} abort a command; whether it was asked to. */
  boolean abort(Association association, int queueId, int cid) {
    if (inFlight >= association.info().aborts()) {
      return false;
    }
    inFlight++;
    sent++;
    association.admin().submit(AdminCommand.abort(queueId, cid)).whenComplete((done, e) -> inFlight--);
    return true;
  }
}
