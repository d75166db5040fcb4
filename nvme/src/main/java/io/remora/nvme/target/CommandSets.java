package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;

/** The command set of a slot that has not been used. */
enum CommandSets implements CommandSet {
  NONE;

  @Override
  public int decode(Command command) {
    return NvmeStatus.INVALID_OPCODE | NvmeStatus.DNR;
  }

  @Override
  public void execute(Command command) {
    throw new AssertionError("nothing to execute");
  }
}
