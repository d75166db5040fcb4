package io.remora.nvme.rdma;

import io.remora.base.Buffer;
import io.remora.nvme.host.HostCommand;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import org.jspecify.annotations.Nullable;

/** How far a command of a {@link HostRdmaLink} has come: one for each slot, reused. */
final class HostTransfer {
  final int slot;
  @Nullable
  HostCommand command;
  /** A copy of its data, or the place for one. */
  @Nullable
  Buffer copy;
  /** Where its data is exported from: the region and where in it; null when it is not. */
  @Nullable
  MemoryRegion region;
  long offset;
  /** What exports it; null when nothing does, or does no more. */
  @Nullable
  MemoryWindow window;
  int key;
  /** Its data travels in the capsule. */
  boolean inside;
  /** Its requests are posted. */
  boolean posted;
  /** The capsule has left and its memory is free. */
  boolean sent;

  /** The controller has answered, but the device still works with its memory: the answer waits. */
  boolean answered;
  long result;
  int sqhd;
  int status;

  /** In the queue of those that wait for a copy's memory. */
  @Nullable
  HostTransfer next;

  HostTransfer(int slot) {
    this.slot = slot;
  }

  void begin(HostCommand of) {
    command = of;
    region = null;
    offset = 0;
    window = null;
    key = 0;
    inside = false;
    posted = false;
    sent = false;
    answered = false;
    next = null;
  }
}
