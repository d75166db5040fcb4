package io.remora.nvme.target;

import io.remora.base.Loop;
import io.remora.base.Timer;

/** Watches that a host is heard from at least once in each of its keep-alive times; belongs to the controller's loop. */
final class KeepAlive {
  /** The granularity that is announced, in milliseconds (KAS counts 100 ms). */
  static final int GRANULARITY_MS = 1000;
  private static final long MAX_MS = 24L * 3600 * 1000;

  private final Timer timer;
  private long timeOutMs;

  KeepAlive(Loop loop, Runnable expired) {
    this.timer = loop.timer(expired);
  }

  /** Sets the time-out, rounded up to the granularity; 0 turns it off. */
  void timeOutMs(long ms) {
    timeOutMs = Math.min(MAX_MS, (ms + GRANULARITY_MS - 1) / GRANULARITY_MS * GRANULARITY_MS);
    if (timeOutMs == 0) {
      timer.cancel();
    } else {
      touch();
    }
  }

  long timeOutMs() {
    return timeOutMs;
  }

  /** The host has been heard from. */
  void touch() {
    if (timeOutMs > 0) {
      timer.arm(timeOutMs * 1_000_000);
    }
  }

  void stop() {
    timeOutMs = 0;
    timer.cancel();
  }
}
