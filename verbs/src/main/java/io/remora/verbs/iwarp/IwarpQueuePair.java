package io.remora.verbs.iwarp;

import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.WorkStatus;
import io.remora.verbs.soft.ReceiveSlot;
import io.remora.verbs.soft.SendSlot;
import io.remora.verbs.soft.SoftProtectionDomain;
import io.remora.verbs.soft.SoftQueuePair;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A queue pair over one TCP connection, made for one connection id. It joins the two halves of the connection with the queues. Belongs to its context's loop.
 *
 * <p>A message or write has succeeded when TCP has taken all of it; a read or atomic, when its answer is here. iWARP tells the requester of no fault: the connection ends, and the
 * peer's reason comes as an event when its Terminate arrives.
 */
final class IwarpQueuePair extends SoftQueuePair {
  /** What one connection reads before others of its loop have their turn, in bytes. */
  private static final int TURN_BYTES = 512 << 10;
  /** So long may the accepting end hold back what it has to send for want of the peer's first frame, before somebody is told. */
  private static final long HELD_NS = 10_000_000_000L;

  /** What exists while the connection stands. */
  private record Link(StreamSocket socket, FpduReader reader, Inbound inbound, Outbound outbound) {}

  private final IwarpContext context;
  private final IwarpCmId id;
  private final Timer readOn;
  private final Timer heldTooLong;
  private @Nullable Link link;
  private boolean extended;
  private boolean foreignSaid;
  private Status endReason = Status.OK;
  private String endText = "ended by this end";
  private byte @Nullable [] lastWords;
  private boolean abrupt;

  IwarpQueuePair(IwarpContext context, IwarpCmId id, SoftProtectionDomain domain, QueuePairConfig config) {
    super(domain, config);
    this.context = context;
    this.id = id;
    this.readOn = context.loop().timer(this::onReadable);
    this.heldTooLong = context.loop().timer(this::onHeldTooLong);
    setState(QueuePairState.INIT);
  }

  // Its connection.

  /** The handshake is over: frames may come, and go unless {@code held}. */
  void start(StreamSocket socket, Agreement agreement, MemorySegment ring, @Nullable MemorySegment staging,
      boolean held) {
    extended = agreement.extended();
    Answers answers = new Answers(agreement.responderResources());
    Outbound outbound = new Outbound(this, socket, ring, context.keys(), context.config().maxFrameBytes(),
        agreement.initiatorDepth(),
        context.loop().random().nextInt(), answers);
    Inbound inbound = new Inbound(this, outbound, context.keys());
    FpduReader reader = new FpduReader(context.staging(), inbound);
    reader.extended(extended);
    if (staging != null) {
      reader.checksums(staging);
      outbound.checksums();
    }
    link = new Link(socket, reader, inbound, outbound);
    setMaxReads(agreement.initiatorDepth());
    if (!held) {
      outbound.release();
      if (agreement.starts()) {
        outbound.start(agreement.startsByRead());
        outbound.pump();
      }
    }
    if (state() == QueuePairState.INIT) {
      setState(QueuePairState.READY_TO_SEND);
    }
  }

  void onReadable() {
    Link present = link;
    if (present == null) {
      return;
    }
    switch (present.reader.advance(present.socket, TURN_BYTES)) {
      case DRAINED -> present.outbound.pump();
      case MORE -> {
        readOn.arm(0);
        present.outbound.pump();
      }
      case CLOSED -> ended(present);
      case STOPPED -> {
      }
    }
  }

  void onWritable() {
    Link present = link;
    if (present != null) {
      present.outbound.onWritable();
    }
  }

  /** The stream has ended, in order or not. */
  private void ended(Link present) {
    Status reason = present.socket.closeReason();
    if (reason != Status.OK) {
      end(reason, "the connection broke: " + reason.text());
    } else if (present.reader.betweenFrames()) {
      end(Status.OK, "disconnected by the other end");
    } else {
      end(Status.DISCONNECTED, "the other end has ended the connection in the middle of a frame");
    }
  }

  /** The connection is no more, or is to be no more. */
  void end(Status reason, String text) {
    if (link != null) {
      endReason = reason;
      endText = text;
      abrupt |= reason != Status.OK;
    }
    disconnected();
  }

  /** Stops using memory of requests; what is left of a frame is put to {@code rest}, its length returned; -1 when the stream cannot be ended in order. */
  int stop(MemorySegment rest, boolean abruptly) {
    Link present = link;
    link = null;
    readOn.cancel();
    heldTooLong.cancel();
    if (present == null) {
      return 0;
    }
    present.reader.stop();
    if (abruptly) {
      present.outbound.drop();
      return -1;
    }
    return present.outbound.stop(rest);
  }

  /** Whether it is of no use for a connection any more. */
  boolean over() {
    return isClosed() || state() != QueuePairState.INIT;
  }

  // Requests.

  @Override
  protected boolean peerCan(SendOpcode opcode) {
    boolean can = extended || !isExtension(opcode);
    if (!can && !foreignSaid) {
      foreignSaid = true;
      context.raise(new AsyncEvent(AsyncEvent.Kind.OTHER, this, peerLacks(opcode)));
    }
    return can;
  }

  @Override
  public @Nullable String whyUnsupported(SendOpcode opcode) {
    String why = super.whyUnsupported(opcode);
    return why == null && link != null && !extended && isExtension(opcode) ? peerLacks(opcode) : why;
  }

  private static boolean isExtension(SendOpcode opcode) {
    return opcode.isAtomic() || opcode == SendOpcode.SEND_WITH_IMMEDIATE || opcode == SendOpcode.WRITE_WITH_IMMEDIATE;
  }

  private String peerLacks(SendOpcode opcode) {
    return "provider " + IwarpProvider.NAME + ": " + opcode + " is refused: the peer " + id.remoteAddress()
        + " is not of this provider, or has extensions off, and has no operations of RFC 7306; do without immediate data and atomics";
  }

  @Override
  protected void transmit() {
    Link present = link;
    if (present == null) {
      return;
    }
    if (present.outbound.held()) {
      if (!heldTooLong.armed()) {
        heldTooLong.arm(HELD_NS);
      }
      return;
    }
    present.outbound.pump();
  }

  private void onHeldTooLong() {
    Link present = link;
    if (present != null && present.outbound.held()) {
      context.raise(new AsyncEvent(AsyncEvent.Kind.OTHER, this,
          "provider " + IwarpProvider.NAME + ": requests wait for the first message of "
              + id.remoteAddress() + ": the connecting end must be the first to send"));
    }
  }

  @Nullable
  SendSlot nextRequest() {
    SendSlot slot = next();
    if (slot != null) {
      begun(slot);
    }
    return slot;
  }

  void ended(SendSlot slot) {
    end(slot);
  }

  // What comes.

  /** A frame has begun to arrive. */
  void onFrame() {
    Link present = link;
    if (present != null && present.outbound.held()) {
      heldTooLong.cancel();
      present.outbound.release();
      schedule();
      id.onFirstFrame();
    }
  }

  @Nullable
  ReceiveSlot nextReceive() {
    return takeReceive();
  }

  void message(ReceiveSlot slot, CompletionOpcode opcode, int length, boolean solicited) {
    received(slot, opcode, length, solicited);
  }

  void immediate(int value) {
    withImmediate(value);
  }

  void invalidated(int key) {
    withInvalidatedKey(key);
  }

  // Failures. After each the reader has been stopped.

  /** A frame of the peer's is wrong: says so to the peer, and ends the connection. Of the frame's header {@code length} bytes are known. */
  void refuse(int cause, String what, MemorySegment s, long at, int length) {
    prepare(cause, what, s, at, length);
    fail(Terminate.isAccess(cause) ? AsyncEvent.Kind.QUEUE_PAIR_ACCESS_ERROR : AsyncEvent.Kind.QUEUE_PAIR_REQUEST_ERROR,
        "refused " + what + ": " + Terminate.text(cause));
  }

  /** The same for a message that fails the receive it has taken. */
  void refuse(int cause, ReceiveSlot slot, WorkStatus status, MemorySegment s, long at) {
    prepare(cause, "the peer's message", s, at, Rdmap.UNTAGGED_BYTES);
    fail(slot, status);
  }

  private void prepare(int cause, String what, MemorySegment s, long at, int length) {
    MemorySegment frame = MemorySegment.ofArray(new byte[Rdmap.TERMINATE_MAX_BYTES]);
    int bytes = Fpdu.terminate(frame, 0, cause, s, at, length);
    lastWords = frame.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
    endReason = Status.PROTOCOL_ERROR;
    endText = "refused " + what + ": " + Terminate.text(cause);
  }

  /** The peer has ended the connection, and says why. */
  void terminated(int cause) {
    String text = "the peer ended the connection: " + Terminate.text(cause);
    endReason = Status.DISCONNECTED;
    endText = text;
    fail(Terminate.isAccess(cause) ? AsyncEvent.Kind.QUEUE_PAIR_ACCESS_ERROR : AsyncEvent.Kind.QUEUE_PAIR_REQUEST_ERROR,
        text);
  }

  /** A request has failed at this end. */
  void failed(SendSlot slot, WorkStatus status) {
    endReason = Status.INVALID;
    endText = "a request has failed: " + status.text();
    abrupt = true;
    fail(slot, status);
  }

  /** Memory was withdrawn in the middle of what the peer does with it: the stream cannot go on. */
  void withdrawn() {
    endReason = Status.ABORTED;
    endText = "memory was withdrawn while the peer was using it";
    abrupt = true;
    fail(AsyncEvent.Kind.QUEUE_PAIR_ACCESS_ERROR, endText);
  }

  /** TCP takes nothing any more. */
  void lost() {
    Link present = link;
    if (present != null) {
      Status reason = present.socket.closeReason();
      end(reason == Status.OK ? Status.DISCONNECTED : reason, "the connection broke");
    }
  }

  @Override
  protected void onError() {
    Link present = link;
    if (present != null) {
      ReceiveSlot slot = present.inbound.abandon();
      present.reader.stop();
      if (slot != null) {
        giveUp(slot);
      }
    }
    id.queuePairEnded(endReason, endText, lastWords, abrupt);
  }

  @Override
  protected void onClosed() {
    id.queuePairEnded(endReason, endText, lastWords, abrupt);
  }
}
