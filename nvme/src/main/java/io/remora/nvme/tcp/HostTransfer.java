package io.remora.nvme.tcp;

import io.remora.nvme.host.HostCommand;
import org.jspecify.annotations.Nullable;

/** How far a command of a {@link HostTcpLink} has come on the wire: one for each slot, reused. */
final class HostTransfer {
  @Nullable
  HostCommand command;
  /** Its capsule has not been written to the transmit buffer yet. */
  boolean capsulePending;
  /** It stands in the list of those that have something to send. */
  boolean queued;
  @Nullable
  HostTransfer next;
  /** Where in the connection's stream its last byte stands, as far as it was written to the transmit buffer. */
  long sentThrough;

  /** Data bytes to the controller that were written to the transmit buffer. */
  long sentBytes;
  /** How far the controller has asked for data (R2T). */
  long grantedBytes;
  int tag;

  /** Data bytes from the controller that are in place. */
  long receivedBytes;
  boolean lastReceived;
  boolean digestBad;

  /** The controller has answered it, but its memory is still needed: the answer waits. */
  boolean answered;
  long result;
  int sqhd;
  int status;
  @Nullable
  HostTransfer nextAnswered;

  void begin(HostCommand newCommand) {
    command = newCommand;
    capsulePending = true;
    sentThrough = 0;
    sentBytes = 0;
    grantedBytes = 0;
    tag = 0;
    receivedBytes = 0;
    lastReceived = false;
    digestBad = false;
    answered = false;
  }
}
