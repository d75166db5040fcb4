package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.Sqe;

/**
 * Finds the command set that a command of one queue belongs to, and has it look at the command's fields. Before Connect there are fabrics commands only. Belongs to the queue's loop.
 */
final class CommandDecoder {
  private final FabricsCommands fabrics;
  private CommandSet commands = CommandSets.NONE;
  /** Bits of the flags that must be 0: there are fused commands on I/O queues only. */
  private int fuses = FusedPairs.MASK;

  CommandDecoder(FabricsCommands fabrics) {
    this.fabrics = fabrics;
  }

  /** Connect has succeeded: commands other than fabrics commands are of {@code set}. */
  void connected(CommandSet set, boolean admin) {
    commands = set;
    fuses = admin ? FusedPairs.MASK : 0;
  }

  /**
   * Sets {@link Command#set} and what that makes of the fields.
   *
   * @param live whether the queue is connected, and not closed
   * @return what is wrong with the command, see {@link NvmeStatus}
   */
  int decode(Command c, boolean live) {
    if ((c.flags & (0xC0 | fuses)) != Sqe.PSDT_SGL) {
      c.set = CommandSets.NONE;
      return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
    }
    if (c.opcode == Opcode.FABRICS) {
      if ((c.flags & FusedPairs.MASK) != 0) {
        c.set = CommandSets.NONE;
        return NvmeStatus.INVALID_FIELD | NvmeStatus.DNR;
      }
      c.set = fabrics;
    } else if (live) {
      c.set = commands;
    } else {
      c.set = CommandSets.NONE;
      return NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR;
    }
    return c.set.decode(c);
  }
}
