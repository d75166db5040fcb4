package io.remora.nvme.tcp;

import io.remora.nvme.target.Command;
import io.remora.nvme.target.QueuePair;

/**
 * A command slot of a connection, with what moving its data needs. Its transfer tag is the slot's number and a generation, so that the tag
 * of a transfer that has ended is not mistaken for the next one's.
 */
final class TargetCommand extends Command {
  /** Slots are numbered below this. */
  static final int MAX_SLOTS = 1024;

  final int index;
  /** How much of the host's data has come, in bytes. */
  int received;
  /** Whether all data digests of the transfer held. */
  boolean intact;
  /** Up to where the connection's output must be sent for this slot to be free. */
  long sentAt;
  private int generation;

  TargetCommand(QueuePair queue, int index) {
    super(queue);
    this.index = index;
  }

  /** Begins a transfer from the host; gives its tag. */
  int beginTransfer() {
    received = 0;
    intact = true;
    generation = generation + 1 & 0x3f;
    return tag();
  }

  int tag() {
    return generation << 10 | index;
  }
}
