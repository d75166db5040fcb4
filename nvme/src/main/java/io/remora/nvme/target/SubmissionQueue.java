package io.remora.nvme.target;

import io.remora.nvme.Opcode;

/** How far the controller has consumed the submission queue that a host has for itself. Belongs to the queue's loop. */
final class SubmissionQueue {
  private int entries;
  private int consumed;
  private int head;
  private boolean flowControl = true;

  /** Connect has succeeded: the host has {@code size} entries, and wants to know the head or does not. */
  void connected(int size, boolean wantsHead) {
    entries = size;
    head = consumed % size;
    flowControl = wantsHead;
  }

  /** One more entry has come. */
  void consume() {
    consumed++;
    head = head + 1 < entries ? head + 1 : 0;
  }

  /** How many have come, modulo 2^32. */
  int consumed() {
    return consumed;
  }

  /** Whether the host wants to know the head. */
  boolean flowControl() {
    return flowControl;
  }

  /** The entry behind the last one that has come; 0 before Connect. */
  int head() {
    return head;
  }

  /** SQHD for the response of {@code command}. */
  int sqhd(Command command) {
    if (flowControl) {
      return head();
    }
    return command.opcode == Opcode.FABRICS && command.fctype() == Opcode.CONNECT ? 0xffff : 0;
  }
}
