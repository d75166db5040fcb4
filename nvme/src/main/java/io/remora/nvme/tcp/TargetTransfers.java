package io.remora.nvme.tcp;

import io.remora.base.Sgl;
import io.remora.nvme.target.Command;
import io.remora.nvme.target.QueuePair;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The data that the host of one connection was asked for: what comes is held against what was asked, and a command goes on when all of its data has come. Belongs to the connection's loop.
 *
 * <p>Invariant: data is taken only for a command that waits for it, in order, and never more than it has.
 */
final class TargetTransfers {
  private final QueuePair queue;
  private final TargetSlots slots;
  private final int maxDataBytes;
  private final PduReader.Handler handler;
  private @Nullable TargetCommand receiving;
  private int waiting;
  private long receivedBytes;

  /**
   * None yet.
   *
   * @param maxDataBytes the most data of one PDU (MAXH2CDATA)
   * @param handler hears of PDUs that are not what was asked for
   */
  TargetTransfers(QueuePair queue, TargetSlots slots, int maxDataBytes, PduReader.Handler handler) {
    this.queue = queue;
    this.slots = slots;
    this.maxDataBytes = maxDataBytes;
    this.handler = handler;
  }

  /** The host is asked for the data of one more command. */
  void begin() {
    waiting++;
  }

  /** Whether the data of any command is still to come. */
  boolean waiting() {
    return waiting > 0;
  }

  /** How much data has come so far, in bytes. */
  long receivedBytes() {
    return receivedBytes;
  }

  /** Where the data of the H2CData at {@code base} of {@code s} goes; null when it was not asked for, which the handler was told. */
  @Nullable
  Sgl place(MemorySegment s, long base) {
    TargetCommand command = slots.byTag(Pdu.ttag(s, base));
    long offset = Pdu.dataOffset(s, base);
    long length = Pdu.dataLength(s, base);
    if (command == null || command.state() != Command.State.FETCHING
        || command.cid() != Pdu.cccid(s, base) || offset != command.received
        || length > command.dataBytes() - command.received) {
      return refuse(Pdu.FES_OUT_OF_RANGE, 0, s, base);
    }
    if (length > maxDataBytes) {
      return refuse(Pdu.FES_LIMIT_EXCEEDED, 0, s, base);
    }
    boolean last = (Pdu.flags(s, base) & Pdu.FLAG_LAST) != 0;
    if (last != (command.received + length == command.dataBytes())) {
      return refuse(Pdu.FES_INVALID_FIELD, 1, s, base);
    }
    command.received += (int) length;
    receivedBytes += length;
    receiving = command;
    return command.data();
  }

  private @Nullable Sgl refuse(int fes, long fei, MemorySegment s, long base) {
    handler.onBad(fes, fei, s, base, Pdu.hlen(s, base));
    return null;
  }

  /** The data that was placed last is there. */
  void placed(boolean digestOk) {
    TargetCommand command = receiving;
    if (command == null) {
      return;
    }
    receiving = null;
    command.intact &= digestOk;
    if (command.received == command.dataBytes()) {
      waiting--;
      queue.fetched(command, command.intact);
    }
  }
}
