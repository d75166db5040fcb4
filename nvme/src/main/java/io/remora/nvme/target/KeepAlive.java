package io.remora.nvme.target;

import io.remora.base.Loop;
import io.remora.base.Timer;
import java.util.function.IntSupplier;

/**
 * Watches that a host is heard from at least once in each of its keep-alive times; belongs to the controller's loop. Only Keep Alive moves
 * the timer; when it fires, the controller looks whether other commands have come.
 */
final class KeepAlive {
  /** The granularity that is announced, in milliseconds (KAS counts 100 ms). */
  static final int GRANULARITY_MS = 1000;
  private static final long MAX_MS = 24L * 3600 * 1000;

  private final Timer timer;
  private final IntSupplier commands;
  private int seen;
  private long timeOutMs;

  /** Runs {@code due} when no Keep Alive has come in time; {@code commands} counts those on the admin queue. */
  KeepAlive(Loop loop, Runnable due, IntSupplier commands) {
    this.timer = loop.timer(due);
    this.commands = commands;
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
    seen = commands.getAsInt();
    if (timeOutMs > 0) {
      timer.arm(timeOutMs * 1_000_000);
    }
  }

  /** Whether a command has come on the admin queue since. */
  boolean heard() {
    return commands.getAsInt() != seen;
  }

  /** Whether the time is running. */
  boolean armed() {
    return timer.armed();
  }

  void stop() {
    timeOutMs = 0;
    timer.cancel();
  }
}
