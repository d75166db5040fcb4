package io.remora.nvme.target;

import io.remora.base.Timer;

/**
 * Notices a peer that stands still: one that takes nothing of what waits to be sent, or sends nothing of what it was asked for. Belongs to
 * its connection's loop.
 *
 * <p>It looks once per period and only while something is waited for, so it costs a busy connection nothing; a stall is
 * noticed after one to two periods.
 */
public final class PeerWatch {
  private final Timer timer;
  private final long periodNs;
  private boolean sending;
  private boolean fetching;
  private long sent;
  private long fetched;

  /** A watch whose {@code timer} has the connection ask {@link #stalled}. */
  public PeerWatch(Timer timer, long periodNs) {
    this.timer = timer;
    this.periodNs = periodNs;
  }

  /**
   * The connection waits for the peer, with output that it does not take or for data from it; {@code sentNow} and {@code fetchedNow}
   * tell how far it is.
   */
  public void begin(boolean sendingNow, long sentNow, boolean fetchingNow, long fetchedNow) {
    if (!timer.armed()) {
      sending = sendingNow;
      fetching = fetchingNow;
      sent = sentNow;
      fetched = fetchedNow;
      timer.arm(periodNs);
    }
  }

  /**
   * Whether what was waited for a period ago is waited for still and has moved by less than {@code leastBytes}; if not, it goes on
   * watching.
   */
  public boolean stalled(boolean sendingNow, long sentNow, boolean fetchingNow, long fetchedNow, long leastBytes) {
    boolean stands = (sending && sendingNow && sentNow - sent < leastBytes)
        || (fetching && fetchingNow && fetchedNow - fetched < leastBytes);
    if (!stands && (sendingNow || fetchingNow)) {
      begin(sendingNow, sentNow, fetchingNow, fetchedNow);
    }
    return stands;
  }
}
