package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.remora.base.LocalDatagrams;
import io.remora.base.Timer;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.WorkStatus;
import io.remora.verbs.soft.ReceiveSlot;
import io.remora.verbs.soft.SendSlot;
import io.remora.verbs.soft.SoftProtectionDomain;
import java.lang.foreign.MemorySegment;

/**
 * A datagram queue pair (UD): a local socket of datagrams whose name is its number. Belongs to its context's loop.
 *
 * <p>A datagram begins with the queue key, flags and the immediate data, 4 bytes each. The kernel says who sent it.
 */
final class DatagramQueuePair extends ShmQueuePair {
  /** The queue key of connection managers, as InfiniBand's. */
  static final int QUEUE_KEY = 0x0123_4567;

  private static final int HEADER_BYTES = 12;
  private static final int SOLICITED = 1;
  private static final int IMMEDIATE = 2;
  private static final int MAX_PER_EVENT = 256;
  /** A receiver that takes nothing for so long loses what is sent to it. */
  private static final long RETRY_NS = 50_000;
  private static final int MAX_RETRIES = 200;

  private final ShmContext context;
  private final LocalDatagrams socket;
  private final Timer retry;
  private int retries;

  DatagramQueuePair(ShmContext context, SoftProtectionDomain domain, QueuePairConfig config) {
    super(domain, config);
    this.context = context;
    LocalDatagrams claimed = context.datagrams(number());
    assert claimed != null;
    this.socket = claimed;
    this.retry = context.loop().timer(this::schedule);
  }

  /** The connection manager has connected it, as far as there is a connection. */
  void connected() {
    setState(QueuePairState.READY_TO_SEND);
  }

  @Override
  void ended(EndReason reason) {
    disconnected();
  }

  @Override
  protected void transmit() {
    if (retry.armed()) {
      return;
    }
    for (SendSlot slot = next(); slot != null; slot = next()) {
      int total = (int) slot.pieces().totalBytes();
      MemorySegment message = context.scratch();
      boolean immediate = slot.opcode() == SendOpcode.SEND_WITH_IMMEDIATE;
      message.set(JAVA_INT, 0, slot.queueKey());
      message.set(JAVA_INT, 4, (slot.solicited() ? SOLICITED : 0) | (immediate ? IMMEDIATE : 0));
      message.set(JAVA_INT, 8, immediate ? slot.immediate() : 0);
      slot.pieces().copyTo(0, message, HEADER_BYTES, total);
      int sent = socket.send(message, 0, HEADER_BYTES + total,
          ShmNames.datagrams(context.local(), slot.destinationQueuePair()));
      if (sent == 0 && retries < MAX_RETRIES) {
        retries++;
        retry.arm(RETRY_NS);
        return;
      }
      retries = 0;
      begun(slot);
      end(slot);
    }
  }

  /** There is something to receive. */
  void arrived() {
    for (int i = 0; i < MAX_PER_EVENT; i++) {
      MemorySegment message = context.scratch();
      int length = socket.receive(message, 0, HEADER_BYTES + ShmContext.MAX_DATAGRAM_BYTES);
      if (length == LocalDatagrams.NONE || isClosed()) {
        return;
      }
      int from = ShmNames.numberOf(context.local(), socket.sender());
      boolean receives = state() == QueuePairState.READY_TO_SEND || state() == QueuePairState.READY_TO_RECEIVE;
      if (receives && from > 0 && length >= HEADER_BYTES && message.get(JAVA_INT, 0) == QUEUE_KEY) {
        take(message, length - HEADER_BYTES, from);
      }
    }
    context.loop().defer(this::arrivedMore);
  }

  private void arrivedMore() {
    if (!isClosed()) {
      context.loop().execute(this::arrived);
    }
  }

  private void take(MemorySegment message, int length, int from) {
    ReceiveSlot slot = takeReceive();
    if (slot == null) {
      return;
    }
    if (!slot.pieces().open()) {
      fail(slot, WorkStatus.LOCAL_PROTECTION_ERROR);
      return;
    }
    int front = ReceiveRequest.ROUTE_HEADER_BYTES;
    if (front + length > slot.pieces().totalBytes()) {
      fail(slot, WorkStatus.LOCAL_LENGTH_ERROR);
      return;
    }
    slot.pieces().copyFrom(front, message, HEADER_BYTES, length);
    int flags = message.get(JAVA_INT, 4);
    received(slot, CompletionOpcode.RECEIVE, front + length, (flags & SOLICITED) != 0);
    withSource(from);
    if ((flags & IMMEDIATE) != 0) {
      withImmediate(message.get(JAVA_INT, 8));
    }
  }

  @Override
  protected void onError() {
    retry.cancel();
    tellFailed();
  }

  @Override
  protected void onClosed() {
    if (isClosed()) {
      retry.cancel();
      context.releaseDatagrams(number());
    }
  }
}
