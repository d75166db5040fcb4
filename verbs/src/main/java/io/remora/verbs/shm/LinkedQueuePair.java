package io.remora.verbs.shm;

import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.WorkStatus;
import io.remora.verbs.soft.KeyTable;
import io.remora.verbs.soft.ReceiveSlot;
import io.remora.verbs.soft.SendSlot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A connected queue pair (RC, UC). Writes, reads and atomics are carried out by this end when they begin; messages go through the ring, and on RC complete when the peer has taken them.
 * Belongs to its context's loop.
 *
 * <p>Whatever may fail the queue pair takes the link away: after each such call {@link #link} is looked at again.
 */
final class LinkedQueuePair extends ShmQueuePair {
  private static final int MAX_BYTES_PER_TURN = 1 << 20;
  /** Few, so that the peer can go on with the first answers while this end takes the rest: with all at once the ends would work in turn. */
  private static final int MAX_FRAGMENTS_PER_TURN = 8;
  /** The tag of a write that was refused on an unreliable connection: with it goes the message behind it. */
  private static final long LOST = -1;

  private final ShmContext context;
  private final ShmProtectionDomain domain;
  private final boolean reliable;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment scratch = arena.allocate(8, 8);
  private @Nullable Link link;
  private int peerNumber;
  private EndReason endReason = EndReason.FAILED;
  private boolean peerGone;

  // As the requester.
  private int bytesLeft;
  private boolean waitsForRoom;
  private boolean goesOn;
  /** Messages that are in the ring whole; and those that the peer has taken. */
  private long sent;
  private long acknowledged;
  /** The message that is in the ring in part. */
  private @Nullable SendSlot partial;
  private final ShutKeys shut;
  private boolean waitsForPeer;

  // As the responder.
  private @Nullable ReceiveSlot receive;
  private boolean notReady;
  private boolean takesInvalidation;

  LinkedQueuePair(ShmContext context, ShmProtectionDomain domain, QueuePairConfig config) {
    super(domain, config);
    this.context = context;
    this.domain = domain;
    this.reliable = config.type() == QueuePairType.RC;
    this.shut = new ShutKeys(config.maxSends());
  }

  @Nullable
  Link link() {
    return link;
  }

  SharedKeys keys() {
    return domain.keys();
  }

  // The connection.

  /** The connection manager has connected it with queue pair {@code peer}. */
  void connected(Link to, int peer, int maxReads) {
    link = to;
    peerNumber = peer;
    setMaxReads(maxReads);
    context.add(this);
    setState(QueuePairState.READY_TO_SEND);
  }

  @Override
  void ended(EndReason reason) {
    endReason = reason;
    disconnected();
  }

  /** The peer's end of the connection has gone: takes what it has left, then fails as it says. */
  EndReason peerEnded() {
    Link from = link;
    if (from == null) {
      return EndReason.DIED;
    }
    peerGone = true;
    EndReason reason = from.control().peerReason();
    int work;
    do {
      work = take();
    } while (work > 0 && link != null && state() != QueuePairState.ERROR);
    switch (reason) {
      case ACCESS -> fail(AsyncEvent.Kind.QUEUE_PAIR_ACCESS_ERROR, reason.text());
      case REQUEST -> fail(AsyncEvent.Kind.QUEUE_PAIR_REQUEST_ERROR, reason.text());
      case PROTOCOL -> fail(AsyncEvent.Kind.QUEUE_PAIR_FATAL, reason.text());
      case DIED, ORDERLY, FAILED -> disconnected();
    }
    return reason;
  }

  /** The peer, of that process, does not end its copies. */
  void stuck(int process) {
    peerGone = true;
    broken("process " + process + " does not end its copies");
  }

  /** The peer does what it must not: only this connection ends. */
  void broken(String what) {
    endReason = EndReason.PROTOCOL;
    fail(AsyncEvent.Kind.QUEUE_PAIR_FATAL, "the peer breaks the protocol: " + what);
  }

  /** Memory that was asked for has come, or not. */
  void goOn() {
    schedule();
  }

  void withdrawn(Segments.Piece piece) {
    Link to = link;
    if (to != null) {
      to.withdrawn(piece);
    }
  }

  @Override
  protected void onError() {
    partial = null;
    ReceiveSlot begun = receive;
    if (begun != null) {
      receive = null;
      giveUp(begun);
    }
    Link old = link;
    if (old != null) {
      link = null;
      context.remove(this);
      old.out().publish();
      old.close(endReason, peerGone);
    }
    tellFailed();
  }

  @Override
  protected void onClosed() {
    if (isClosed()) {
      arena.close();
    }
  }

  // Each turn.

  int poll() {
    int work = take();
    Link to = link;
    if (to != null && (goesOn || (waitsForRoom && to.out().moved()))) {
      work++;
      transmit();
    }
    return work;
  }

  /** An answer shows after the end of what it answers: acknowledgements are looked at after the ring and taken before what is in it. */
  private int take() {
    Link from = link;
    if (from == null) {
      return 0;
    }
    from.in().look();
    return takeAcknowledgements() + takeFragments();
  }

  /** Whether {@link #poll} would do something. */
  boolean hasWork() {
    Link from = link;
    return from != null && ((from.in().hasNext() && !notReady) || goesOn || (waitsForRoom && from.out().moved())
        || (awaitsPeer() && (from.control().peerCompleted() != acknowledged || from.control().peerRefused() != 0)));
  }

  // The requesting end.

  @Override
  protected void transmit() {
    bytesLeft = MAX_BYTES_PER_TURN;
    waitsForRoom = false;
    goesOn = false;
    boolean more = link != null;
    while (more) {
      SendSlot slot = next();
      more = slot != null && link != null && carry(slot) && link != null;
    }
    Link to = link;
    if (to != null) {
      to.memory().endCopies();
      to.out().publish();
      to.wakePeer();
    }
  }

  /** It may have to wait for the peer, which may wait for the end of this end's copies. */
  @Override
  protected boolean mayCarryOut(SendSlot slot) {
    Link to = link;
    if (to != null) {
      to.memory().endCopies();
    }
    return true;
  }

  /** Carries a request out, or a part of it; false when it has to go on later. */
  private boolean carry(SendSlot slot) {
    return switch (slot.opcode()) {
      case SEND, SEND_WITH_IMMEDIATE, SEND_WITH_INVALIDATE -> message(slot, (int) slot.pieces().totalBytes());
      case WRITE -> copy(slot) && done(slot);
      case WRITE_WITH_IMMEDIATE -> copy(slot) && (slot.tag == LOST ? done(slot) : message(slot, 0));
      case READ -> copy(slot) && done(slot);
      case COMPARE_AND_SWAP, FETCH_AND_ADD -> atomic(slot) && done(slot);
      case LOCAL_INVALIDATE, BIND_WINDOW -> true;
    };
  }

  private boolean done(SendSlot slot) {
    begun(slot);
    end(slot);
    return true;
  }

  /** Puts a message into the ring, of which {@code data} bytes go that way: {@code tag} says how many have. */
  private boolean message(SendSlot slot, int data) {
    Link to = link;
    if (to == null) {
      return false;
    }
    int value = slot.opcode() == SendOpcode.SEND_WITH_INVALIDATE ? slot.invalidateKey() : slot.immediate();
    int kind = Fragment.kind(slot.opcode());
    int total = (int) slot.pieces().totalBytes();
    do {
      int put = to.out().put(kind, slot.solicited(), value, slot.pieces(), (int) slot.tag, data, total);
      if (put == OutRing.BROKEN) {
        broken("a ring that cannot be");
        return false;
      }
      if (put == OutRing.FULL) {
        waitsForRoom = true;
        partial = slot.tag > 0 ? slot : null;
        return false;
      }
      slot.tag += put;
    } while (slot.tag < data);
    partial = null;
    begun(slot);
    if (!reliable) {
      end(slot);
      return true;
    }
    sent++;
    if (kind == Fragment.SEND_INVALIDATE) {
      shut.add(value, sent);
    }
    return true;
  }

  /** Copies to or from the peer's memory; {@code progress} says how far it is. */
  private boolean copy(SendSlot slot) {
    long total = slot.pieces().totalBytes();
    if (total > 0 && waitsForShutKey(slot)) {
      return false;
    }
    while (slot.progress < total) {
      Link to = link;
      if (to == null) {
        return false;
      }
      if (bytesLeft <= 0) {
        goesOn = true;
        return false;
      }
      int length = (int) Math.min(total - slot.progress, PeerMemory.MAX_COPY_BYTES);
      PeerMemory.Result result = slot.opcode() == SendOpcode.READ
          ? to.memory().read(slot, slot.progress, length)
          : to.memory().write(slot, slot.progress, length);
      if (result != PeerMemory.Result.DONE) {
        return failed(to, slot, result);
      }
      bytesLeft -= length;
      slot.progress += length;
    }
    return true;
  }

  private boolean atomic(SendSlot slot) {
    Link to = link;
    if (to == null) {
      return false;
    }
    if ((slot.remoteAddress() & 7) != 0) {
      refuse(slot, WorkStatus.REMOTE_INVALID_REQUEST, EndReason.REQUEST);
      return false;
    }
    if (waitsForShutKey(slot)) {
      return false;
    }
    PeerMemory.Result result = to.memory().atomic(slot, scratch);
    if (result != PeerMemory.Result.DONE) {
      return failed(to, slot, result);
    }
    slot.pieces().copyFrom(0, scratch, 0, 8);
    return true;
  }

  /** Whether the request has to wait until the peer has taken the message that makes its key invalid. */
  private boolean waitsForShutKey(SendSlot slot) {
    waitsForPeer = shut.contains(slot.remoteKey());
    return waitsForPeer;
  }

  /** A copy was not carried out; true when the request counts as done nevertheless. */
  private boolean failed(Link to, SendSlot slot, PeerMemory.Result result) {
    switch (result) {
      case UNMAPPED -> {
        if (to.ask(slot.remoteKey())) {
          return false;
        }
      }
      case NONSENSE -> {
        broken("a key table that cannot be");
        return false;
      }
      // The socket tells it at once.
      case ENDED -> {
        return false;
      }
      case FAULT, DONE -> {
      }
    }
    if (!reliable) {
      // Nobody hears of what an unreliable write is refused.
      slot.progress = slot.pieces().totalBytes();
      slot.tag = LOST;
      return true;
    }
    refuse(slot, WorkStatus.REMOTE_ACCESS_ERROR, EndReason.ACCESS);
    return false;
  }

  private void refuse(SendSlot slot, WorkStatus status, EndReason reason) {
    endReason = reason;
    begun(slot);
    fail(slot, status);
  }

  private int takeAcknowledgements() {
    Link from = link;
    if (from == null || !awaitsPeer()) {
      return 0;
    }
    // In this order: with a refusal, all that was taken before it is seen.
    long refused = from.control().peerRefused();
    long completed = from.control().peerCompleted();
    if (completed < acknowledged || completed > sent) {
      broken("more messages acknowledged than sent");
      return 1;
    }
    int work = (int) (completed - acknowledged);
    while (acknowledged < completed && link != null) {
      acknowledged++;
      SendSlot slot = oldest();
      if (slot != null) {
        end(slot);
      }
    }
    shut.taken(acknowledged);
    if (work > 0 && waitsForPeer) {
      schedule();
    }
    return refused != 0 && link != null && takeRefusal(status(refused)) ? work + 1 : work;
  }

  /** The message after those that were taken has been refused, perhaps before it was in the ring whole. */
  private boolean takeRefusal(WorkStatus status) {
    SendSlot slot = acknowledged < sent ? oldest() : partial;
    if (slot == null) {
      return false;
    }
    if (slot == partial) {
      begun(slot);
    }
    fail(slot, status);
    return true;
  }

  /** Whether the peer has still to say something of messages. */
  private boolean awaitsPeer() {
    return sent != acknowledged || (partial != null && reliable);
  }

  private static WorkStatus status(long refused) {
    return refused == WorkStatus.REMOTE_INVALID_REQUEST.code()
        ? WorkStatus.REMOTE_INVALID_REQUEST
        : WorkStatus.REMOTE_OPERATION_ERROR;
  }

  // The responding end.

  @Override
  protected void onReceivePosted() {
    notReady = false;
  }

  private int takeFragments() {
    int taken = 0;
    for (Link from = link; from != null && !notReady && taken < MAX_FRAGMENTS_PER_TURN; from = link) {
      InRing.Found found = from.in().next();
      if (found == InRing.Found.NONSENSE) {
        broken("a ring that cannot be");
        return taken + 1;
      }
      if (found == InRing.Found.NOTHING || !take(from, from.in())) {
        break;
      }
      taken++;
    }
    Link from = link;
    if (taken > 0 && from != null) {
      from.in().publish();
      from.wakePeer();
    }
    return taken;
  }

  /** Takes a fragment; false when it has to wait for a receive, or the queue pair has failed. */
  private boolean take(Link from, InRing in) {
    if (in.isFirst() && !begin(from, in)) {
      return false;
    }
    ReceiveSlot slot = receive;
    if (slot != null && in.kind() != Fragment.WRITE_IMMEDIATE) {
      if (!slot.pieces().open()) {
        refuse(from, slot, WorkStatus.LOCAL_PROTECTION_ERROR, WorkStatus.REMOTE_OPERATION_ERROR);
        return false;
      }
      in.copyTo(slot.pieces());
    }
    boolean last = in.isLast();
    if (last && slot != null && in.kind() == Fragment.SEND_INVALIDATE && !invalidate(in.value())) {
      refuse(from, slot, WorkStatus.LOCAL_OPERATION_ERROR, WorkStatus.REMOTE_OPERATION_ERROR);
      return false;
    }
    if (link == null) {
      return false;
    }
    in.drop();
    if (last && slot != null) {
      receive = null;
      show(slot, in);
    }
    return true;
  }

  private boolean invalidate(int key) {
    takesInvalidation = true;
    boolean done = context.keys().invalidate(key, this) == KeyTable.Fault.NONE;
    takesInvalidation = false;
    return done;
  }

  /** Whether a key is being made invalid by a message of the peer's. */
  boolean takesInvalidation() {
    return takesInvalidation;
  }

  /** Finds a receive for a message; false when there is none to wait for, or it does not do. */
  private boolean begin(Link from, InRing in) {
    ReceiveSlot slot = takeReceive();
    if (slot == null) {
      // An unreliable message is passed over without one.
      notReady = reliable;
      return !reliable;
    }
    receive = slot;
    if (in.kind() != Fragment.WRITE_IMMEDIATE && in.total() > slot.pieces().totalBytes()) {
      refuse(from, slot, WorkStatus.LOCAL_LENGTH_ERROR, WorkStatus.REMOTE_INVALID_REQUEST);
      return false;
    }
    return true;
  }

  private void show(ReceiveSlot slot, InRing in) {
    boolean write = in.kind() == Fragment.WRITE_IMMEDIATE;
    received(slot, write ? CompletionOpcode.RECEIVE_WRITE_WITH_IMMEDIATE : CompletionOpcode.RECEIVE, in.total(),
        in.isSolicited());
    withSource(peerNumber);
    if (write || in.kind() == Fragment.SEND_IMMEDIATE) {
      withImmediate(in.value());
    } else if (in.kind() == Fragment.SEND_INVALIDATE) {
      withInvalidatedKey(in.value());
    }
  }

  /** Refuses a message: both ends fail, this one with {@code here}. */
  private void refuse(Link from, ReceiveSlot slot, WorkStatus here, WorkStatus there) {
    from.in().publish();
    if (reliable) {
      from.control().refused(there.code());
    }
    receive = null;
    fail(slot, here);
  }
}
