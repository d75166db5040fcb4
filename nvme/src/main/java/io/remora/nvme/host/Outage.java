package io.remora.nvme.host;

import io.remora.base.Backoff;
import io.remora.base.Loop;
import io.remora.base.Timer;

/**
 * The times while a controller has no association: when it is tried again, from when on its I/O is held no longer, when it is given up. Belongs to the controller's
 * loop.
 */
final class Outage {
  private final Loop loop;
  private final HostOptions options;
  private final Backoff backoff;
  private final Timer holdTimer;
  private final Timer lossTimer;
  private long workedSinceNs;

  Outage(Loop loop, HostOptions options, Runnable attempt, Runnable holdNoLonger, Runnable giveUp) {
    this.loop = loop;
    this.options = options;
    this.backoff = options.times().backoff(loop, attempt);
    this.holdTimer = loop.timer(holdNoLonger);
    this.lossTimer = loop.timer(giveUp);
  }

  /** What worked since {@link #worksAgain} works no more. */
  void begin() {
    if (loop.clock().nanoTime() - workedSinceNs > options.times().reconnectMaxNs()) {
      // It worked for a while: begin with short delays again. One that breaks at once is not to be tried in a loop.
      backoff.reset();
    }
    if (options.onLoss() == HostOptions.OnLoss.HOLD) {
      holdTimer.arm(options.times().holdNs());
      lossTimer.arm(options.times().lossNs());
    }
  }

  /** Has an attempt made after the delay that is due. */
  void tryAgain() {
    backoff.next();
  }

  /** How many attempts were asked for since they last began with short delays. */
  int attempts() {
    return backoff.attempts();
  }

  /** There is an association: nothing is given up. */
  void end() {
    holdTimer.cancel();
    lossTimer.cancel();
  }

  /** Commands flow from now on. */
  void worksAgain() {
    workedSinceNs = loop.clock().nanoTime();
  }

  /** No further attempt. */
  void stopTrying() {
    backoff.cancel();
  }
}
