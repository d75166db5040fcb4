package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.remora.base.LocalListener;
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
import java.util.HashSet;
import java.util.Set;

/**
 * A datagram queue pair (UD): a listening local socket whose name is its number, and one socket for each that it sends to or hears of. Belongs to its context's loop.
 *
 * <p>A datagram begins with the queue key, flags, the immediate data and the sender's number, 4 bytes each. That its sender is of this user, the kernel says; its number, the sender itself.
 */
final class DatagramQueuePair extends ShmQueuePair {
  /** The queue key of connection managers, as InfiniBand's. */
  static final int QUEUE_KEY = 0x0123_4567;

  /** In front of each datagram. */
  static final int HEADER_BYTES = 16;
  private static final int SOLICITED = 1;
  private static final int IMMEDIATE = 2;
  private static final int MAX_NUMBER = 0xff_ffff;
  /** More senders are turned away, and what they send is lost. */
  static final int MAX_SENDERS = 4096;
  /** More receivers at once cost a new connection now and then. */
  static final int MAX_WAYS = 1024;
  /** A receiver that takes nothing for so long loses what is sent to it. */
  private static final long RETRY_NS = 50_000;
  private static final int MAX_RETRIES = 200;

  private final ShmContext context;
  private final DatagramWays ways;
  private final Set<DatagramArrival> arrivals = new HashSet<>();
  private final Timer retry;
  private int retries;

  DatagramQueuePair(ShmContext context, SoftProtectionDomain domain, QueuePairConfig config) {
    super(domain, config);
    this.context = context;
    this.ways = new DatagramWays(context.local(), MAX_WAYS);
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
      message.set(JAVA_INT, 12, number());
      slot.pieces().copyTo(0, message, HEADER_BYTES, total);
      int sent = ways.send(slot.destinationQueuePair() & MAX_NUMBER, message, HEADER_BYTES + total);
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

  /** Somebody of this user has connected, to send. */
  void accepted(LocalListener.Accepted connection) {
    if (isClosed() || arrivals.size() >= MAX_SENDERS) {
      connection.close();
    } else {
      DatagramArrival arrival = new DatagramArrival(context, this);
      arrivals.add(arrival);
      arrival.begin(connection);
    }
  }

  /** How many have connected, to send. */
  int senders() {
    return arrivals.size();
  }

  /** A datagram with the right key, of {@code length} bytes behind its header. */
  void arrived(MemorySegment message, int length) {
    boolean receives = state() == QueuePairState.READY_TO_SEND || state() == QueuePairState.READY_TO_RECEIVE;
    int from = message.get(JAVA_INT, 12);
    if (receives && from > 0 && from <= MAX_NUMBER) {
      take(message, length, from);
    }
  }

  void gone(DatagramArrival arrival) {
    arrivals.remove(arrival);
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
      ways.close();
      Set.copyOf(arrivals).forEach(DatagramArrival::close);
      context.releaseDatagrams(number());
    }
  }
}
