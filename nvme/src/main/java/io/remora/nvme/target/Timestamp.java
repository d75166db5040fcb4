package io.remora.nvme.target;

import io.remora.base.Clock;

/**
 * The time of day as a host has set it, running on by the monotonic clock (NVMe Base 2.0, 5.27.1.14); belongs to the controller's
 * loop.
 */
final class Timestamp {
  private static final long MASK = (1L << 48) - 1;
  /** Origin, in bits 51..49: set by the host. Before that: time since the reset. */
  private static final long FROM_HOST = 1L << 49;

  private final Clock clock;
  private long baseMs;
  private long setAtNs;
  private long origin;

  Timestamp(Clock clock) {
    this.clock = clock;
    reset();
  }

  /** Counts from 0, now. */
  void reset() {
    baseMs = 0;
    setAtNs = clock.nanoTime();
    origin = 0;
  }

  /** The host says that it is {@code value}: milliseconds since 1970 in the lower 48 bits. */
  void set(long value) {
    baseMs = value & MASK;
    setAtNs = clock.nanoTime();
    origin = FROM_HOST;
  }

  /** The data structure: milliseconds in bits 47..0, origin in 51..49. */
  long value() {
    return (baseMs + (clock.nanoTime() - setAtNs) / 1_000_000 & MASK) | origin;
  }
}
