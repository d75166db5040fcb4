package io.remora.base;

/**
 * Work that no descriptor tells of while it is looked for: queues in memory that a device or another process writes to. Belongs to the loop that it was
 * {@linkplain Loop#add added} to, which calls it.
 */
public interface Pollable {
  /** Looks for work and does a bounded part of it. In every turn of a loop that does not sleep. Returns a measure of what was done, 0 for nothing. */
  int poll();

  /**
   * The loop wants to sleep: from now on, until the next {@link #poll}, work that comes must wake it by a descriptor that it {@linkplain Loop#watch watches}.
   *
   * @return false when there is work already, and the loop must not sleep
   */
  boolean arm();
}
