package io.remora.nvme.target;

import java.util.ArrayList;
import java.util.List;

/**
 * The command slots of one queue pair, and how far the command in each is. Belongs to the queue's loop.
 *
 * <p>Invariant: {@link #executing} counts the slots whose commands are {@linkplain Command#carriedOut carried out}.
 */
final class CommandSlots {
  private final List<Command> all = new ArrayList<>();
  private int executing;

  /** There is one more, for good. */
  void add(Command slot) {
    all.add(slot);
  }

  /** Every slot that there is. */
  List<Command> all() {
    return all;
  }

  /** How many commands a device or the controller works on. */
  int executing() {
    return executing;
  }

  /** The command of {@code slot} goes on to {@code next}. */
  void move(Command slot, Command.State next) {
    if (slot.carriedOut()) {
      executing--;
    }
    slot.state = next;
    if (slot.carriedOut()) {
      executing++;
    }
  }

  /** Whether there is no command but those that are held, which may be for ever. */
  boolean drained() {
    for (Command c : all) {
      if (c.state != Command.State.FREE && c.state != Command.State.HELD) {
        return false;
      }
    }
    return true;
  }
}
