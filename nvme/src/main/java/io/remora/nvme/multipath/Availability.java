package io.remora.nvme.multipath;

import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.nvme.host.HostOptions;

/**
 * How long a device has been without a path, and what follows. Belongs to the device's first loop; {@link #over} may be called from
 * any thread.
 */
final class Availability {
  /** Hears that requests are held no longer. */
  interface Owner {
    /** {@code forGood}: there is no use in trying on. */
    void onRefuse(Status status, boolean forGood);
  }

  private final HostOptions.Times times;
  private final Timer holdTimer;
  private final Timer lossTimer;
  private boolean usable = true;
  private boolean live = true;
  private volatile boolean over;

  Availability(Loop loop, HostOptions.Times times, Owner owner) {
    this.times = times;
    this.holdTimer = loop.timer(() -> owner.onRefuse(Status.DISCONNECTED, false));
    this.lossTimer = loop.timer(() -> owner.onRefuse(Status.DISCONNECTED, true));
  }

  /**
   * Says how it is now.
   *
   * @param usableNow whether a path takes requests: else they are held for a time
   * @param liveNow whether a path is connected: else the device is given up after a time
   */
  void update(boolean usableNow, boolean liveNow) {
    if (usable && !usableNow) {
      holdTimer.arm(times.holdNs());
    } else if (usableNow) {
      holdTimer.cancel();
    }
    if (live && !liveNow) {
      lossTimer.arm(times.lossNs());
    } else if (liveNow) {
      lossTimer.cancel();
    }
    usable = usableNow;
    live = liveNow;
  }

  /** Ends it for good; false when it had ended before. */
  boolean end() {
    boolean first = !over;
    over = true;
    holdTimer.cancel();
    lossTimer.cancel();
    return first;
  }

  /** Whether it has ended for good. */
  boolean over() {
    return over;
  }
}
