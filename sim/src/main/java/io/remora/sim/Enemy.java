package io.remora.sim;

/**
 * A kind of fault that befalls a {@link World} again and again while it is troubled. Belongs to the simulation's thread; methods are called
 * outside of all loops. Whatever a strike does ends by itself after a bounded time, or in {@link #leave}.
 */
interface Enemy {
  /** For people: what it does, in a word or two. */
  String name();

  /** How long it waits between two strikes, on average, in virtual nanoseconds. */
  long meanPauseNs();

  /** Does harm. */
  void strike(World world);

  /** Undoes what lasts; the node need not run. */
  default void leave(World world) {}

  /** Gives the commands that undo what lasts; the node runs again. */
  default void repair(World world) {}
}
