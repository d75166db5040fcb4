package io.remora.nvme.target;

/** Decodes and executes the commands of one kind. Stateless but for the queue or controller that it belongs to. */
interface CommandSet {
  /**
   * Looks at the entry: sets {@link Command#expect} and what else {@link #execute} needs, changes nothing else; may be asked
   * again for the same command.
   *
   * @return success, or the status with which the command ends
   */
  int decode(Command command);

  /**
   * Has the data of a command that was decoded moved from or to a device's own memory, if that is possible: the command {@linkplain Command#borrows borrows} that then, and goes on as one that has memory.
   *
   * @return whether it is so; if not, nothing has happened
   */
  default boolean borrow(Command command) {
    return false;
  }

  /** The data of a command that borrows memory does not come; it ends. */
  default void dropped(Command command) {}

  /** Carries the command out, its data being in place; ends in {@link QueuePair#finish}, now or later. */
  void execute(Command command);

  /** A request of the command to a device has ended. */
  default void completed(Command command) {
    throw new AssertionError("no request in " + getClass());
  }

  /** A command that waited for its namespace's {@link WriteGate} may try again. */
  default void resumed(Command command) {
    throw new AssertionError("nothing waits in " + getClass());
  }
}
