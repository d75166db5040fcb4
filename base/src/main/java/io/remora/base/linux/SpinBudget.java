package io.remora.base.linux;

/**
 * How long a loop that has run out of work polls before it sleeps. Belongs to one loop.
 *
 * <p>A sleep that ended within the longest permitted time would have been spared by spinning, so the budget grows; a longer one
 * made all the spinning before it vain, so it shrinks, down to nothing on a loop that is idle or has work at long intervals only.
 */
final class SpinBudget {
  private final long maxNs;
  private long nowNs;

  SpinBudget(long maxNs) {
    this.maxNs = maxNs;
    this.nowNs = maxNs;
  }

  /** Whether a loop without work for {@code idleNs} should go on polling. */
  boolean spins(long idleNs) {
    return idleNs < nowNs || maxNs == Long.MAX_VALUE;
  }

  /** The loop has slept; it was without work for {@code idleNs} in all. */
  void slept(long idleNs) {
    if (idleNs <= maxNs) {
      nowNs = Math.min(maxNs, Math.max(nowNs * 2, maxNs / 8));
    } else {
      nowNs = nowNs / 2 < maxNs / 32 ? 0 : nowNs / 2;
    }
  }

  /** The present budget in nanoseconds. */
  long nowNs() {
    return nowNs;
  }
}
