package io.remora.base;

/** When to try something again: delays that double up to a bound, with jitter. Belongs to one loop. */
public final class Backoff {
  private final Loop loop;
  private final long leastNs;
  private final long mostNs;
  private final Timer timer;
  private int attempts;

  /**
   * Runs {@code attempt} on {@code loop} each time.
   *
   * @param leastNs the first delay, in nanoseconds; at least 1
   * @param mostNs the longest; at least {@code leastNs}
   */
  public Backoff(Loop loop, long leastNs, long mostNs, Runnable attempt) {
    Check.argument(leastNs >= 1 && mostNs >= leastNs, "delays of %d to %d ns", leastNs, mostNs);
    this.loop = loop;
    this.leastNs = leastNs;
    this.mostNs = mostNs;
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
    long delay = leastNs << Math.min(attempts, 20);
    delay = delay <= 0 ? mostNs : Math.min(delay, mostNs);
    attempts++;
    timer.arm(delay / 2 + loop.random().nextLong(delay / 2 + 1));
  }

  /** No attempt. */
  public void cancel() {
    timer.cancel();
  }
}
