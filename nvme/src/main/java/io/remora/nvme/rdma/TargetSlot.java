package io.remora.nvme.rdma;

import io.remora.nvme.target.Command;
import io.remora.nvme.target.QueuePair;
import org.jspecify.annotations.Nullable;

/** A command slot of a {@link TargetConnection}, with what moving its data needs. */
final class TargetSlot extends Command {
  /** No receive is held. */
  static final int NONE = -1;

  final int index;
  /** The receive that brought the command, which holds its entry and the data in its capsule until it is answered; or {@link #NONE}. */
  int receive = NONE;
  /** Waits for places in the send queue. */
  @Nullable
  TargetSlot nextToSend;
  /** Places in the send queue that its last requests have. */
  int places;
  /** How many bytes the requests that are posted for it move. */
  long movesBytes;

  TargetSlot(QueuePair queue, int index) {
    super(queue);
    this.index = index;
  }
}
