package io.remora.base;

/**
 * A reusable timer of one loop; all calls on that loop's thread. Arming, firing and cancelling allocate nothing.
 */
public interface Timer {
  /** Arms it to fire once, {@code delayNs} nanoseconds from now (at least 0); an armed timer is moved. */
  void arm(long delayNs);

  /** Disarms it; nothing happens if it is not armed. */
  void cancel();

  /** Whether it will fire. */
  boolean armed();
}
