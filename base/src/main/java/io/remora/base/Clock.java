package io.remora.base;

/** Time, as a loop sees it. The simulated twin moves only when the simulator says so. */
public interface Clock {
  /** Monotonic nanoseconds from an arbitrary origin; only differences mean something. */
  long nanoTime();

  /** Milliseconds since 1970-01-01 UTC; may jump both ways. For people and records, never for time-outs. */
  long wallMillis();
}
