package io.remora.base.sim;

/** The files of a machine as they were at a moment; never changes. Put it into a machine with {@link SimDisk#restore}. */
public final class SimImage {
  private final Medium medium;

  /** Takes {@code medium}, which nobody else changes. */
  SimImage(Medium medium) {
    this.medium = medium;
  }

  Medium fork() {
    return medium.fork();
  }
}
