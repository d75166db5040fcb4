package io.remora.nvme.target;

import io.remora.nvme.Opcode;

/** How far the controller has consumed the submission queue that a host has for itself. Belongs to the queue's loop. */
final class SubmissionQueue {
  private int entries;
  private int consumed;
  private boolean flowControl = true;

  /** Connect has succeeded: the host has {@code size} entries, and wants to know the head or does not. */
  void connected(int size, boolean wantsHead) {
    entries = size;
    flowControl = wantsHead;
  }

  /** One more entry has come. */
  void consume() {
    consumed++;
  }

  /** How many have come, modulo 2^32. */
  int consumed() {
    return consumed;
  }

  /** Whether the host wants to know the head. */
  boolean flowControl() {
    return flowControl;
  }

  /** SQHD for the response of {@code command}. */
  int head(Command command) {
    if (flowControl) {
      return entries == 0 ? 0 : consumed % entries;
    }
    return command.opcode == Opcode.FABRICS && command.fctype() == Opcode.CONNECT ? 0xffff : 0;
  }
}
