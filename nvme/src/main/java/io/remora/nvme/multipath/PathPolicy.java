package io.remora.nvme.multipath;

/**
 * Which of several good paths a request takes. Before that, paths that are optimized by ANA come before those that are not,
 * and those that are inaccessible are not taken at all.
 */
public enum PathPolicy {
  /** Each in turn. */
  ROUND_ROBIN("round-robin"),
  /** The one with the fewest requests of this loop in flight. */
  QUEUE_DEPTH("queue-depth"),
  /** Only those that the caller calls local, in turn, as long as there is one; else the others. */
  LOCAL("local");

  private final String text;

  PathPolicy(String text) {
    this.text = text;
  }

  /** As people write it. */
  public String text() {
    return text;
  }
}
