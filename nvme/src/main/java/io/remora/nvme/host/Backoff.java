package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;

/** When to try to connect again: delays that double up to a bound, with jitter. Belongs to one loop. */
public final class Backoff {
  private final Loop loop;
  private final HostOptions.Times times;
  private final Timer timer;
  private int attempts;

  /** Runs {@code attempt} on {@code loop} each time. */
  public Backoff(Loop loop, HostOptions.Times times, Runnable attempt) {
    this.loop = loop;
    this.times = times;
    this.timer = loop.timer(attempt);
  }

  /** How many attempts were asked for since {@link #reset}. */
  public int attempts() {
    return attempts;
  }

  /** Begins with short delays again. */
  public void reset() {
    attempts = 0;
  }

  /** One attempt after half to all of the delay that is due. */
  public void next() {
    long delay = times.reconnectNs() << Math.min(attempts, 20);
    delay = delay <= 0 ? times.reconnectMaxNs() : Math.min(delay, times.reconnectMaxNs());
    attempts++;
    timer.arm(delay / 2 + loop.random().nextLong(delay / 2 + 1));
  }

  /** No attempt. */
  public void cancel() {
    timer.cancel();
  }
}
