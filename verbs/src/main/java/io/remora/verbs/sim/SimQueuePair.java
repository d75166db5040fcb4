package io.remora.verbs.sim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.verbs.Access;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.WorkStatus;
import io.remora.verbs.soft.KeyEntry;
import io.remora.verbs.soft.KeyTable;
import io.remora.verbs.soft.Pieces;
import io.remora.verbs.soft.ReceiveSlot;
import io.remora.verbs.soft.SendSlot;
import io.remora.verbs.soft.SoftProtectionDomain;
import io.remora.verbs.soft.SoftQueuePair;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A queue pair of the simulated device. Requests travel as {@link Message}s to the loop of the other end, which carries them out one after the other and answers each, on
 * reliable connections.
 */
final class SimQueuePair extends SoftQueuePair {
  private static final byte[] NOTHING = {};

  private final SimContext context;
  private final SimFabric fabric;
  private final QueuePairType type;
  /** What was sent and is not answered, in order. */
  private final Deque<SendSlot> unanswered = new ArrayDeque<>();
  /** What has come and waits for a receive, in order. */
  private final Deque<Message> notReady = new ArrayDeque<>();
  private int peer;
  private @Nullable Loop peerLoop;
  /** Messages of an earlier connection are dropped. */
  private long connection;
  private long sent;
  private long arrivalNs = Long.MIN_VALUE;
  private long answerArrivalNs = Long.MIN_VALUE;
  private int queueKey;
  private int remoteAccess = Access.REMOTE_READ | Access.REMOTE_WRITE | Access.REMOTE_ATOMIC;
  private @Nullable SimCmId id;

  SimQueuePair(SimContext context, SoftProtectionDomain domain, QueuePairConfig config) {
    super(domain, config);
    this.context = context;
    this.fabric = context.fabric();
    this.type = config.type();
    fabric.add(this);
  }

  boolean isGone() {
    return isClosed();
  }

  boolean isOf(SimContext device) {
    return context == device;
  }

  void deviceFailed(String text) {
    fail(AsyncEvent.Kind.QUEUE_PAIR_FATAL, text);
  }

  Loop loop() {
    return context.loop();
  }

  int queueKey() {
    return queueKey;
  }

  // Connecting.

  /** Belongs to a connection manager's id: receives may be posted. */
  void begin(SimCmId owner, int key) {
    id = owner;
    queueKey = key;
    setState(QueuePairState.INIT);
  }

  /** The connection manager has connected it. */
  void connected(int queuePair, Loop loop, long number, int maxReads) {
    peer = queuePair;
    peerLoop = loop;
    connection = number;
    setMaxReads(maxReads);
    setState(QueuePairState.READY_TO_SEND);
  }

  /** The connection has ended. */
  void ended() {
    disconnected();
  }

  @Override
  protected void change(QueuePairAttributes attributes) {
    switch (attributes.state()) {
      case INIT -> {
        require(QueuePairState.RESET, attributes);
        queueKey = attributes.queueKey();
        remoteAccess = attributes.remoteAccess();
      }
      case READY_TO_RECEIVE -> {
        require(QueuePairState.INIT, attributes);
        if (type != QueuePairType.UD) {
          Check.argument(attributes.destination() != null, "a connected queue pair needs a destination");
          peer = attributes.destinationQueuePair();
          SimQueuePair other = fabric.queuePair(peer);
          Check.argument(other != null, "there is no queue pair %d", peer);
          peerLoop = other == null ? null : other.loop();
        }
      }
      case READY_TO_SEND -> {
        require(QueuePairState.READY_TO_RECEIVE, attributes);
        setMaxReads(SimContext.MAX_READS);
      }
      case RESET, ERROR, SEND_DRAINED, SEND_ERROR ->
        Check.argument(false, "from %s to %s", state(), attributes.state());
    }
    setState(attributes.state());
  }

  private void require(QueuePairState from, QueuePairAttributes attributes) {
    Check.argument(state() == from, "from %s to %s: it must be %s", state(), attributes.state(), from);
  }

  // The requesting end.

  @Override
  protected void transmit() {
    for (SendSlot slot = next(); slot != null; slot = next()) {
      begun(slot);
      if (type == QueuePairType.RC) {
        unanswered.add(slot);
      }
      int number = type == QueuePairType.UD ? slot.destinationQueuePair() : peer;
      if (!carry(number, message(slot)) && type == QueuePairType.RC) {
        fail(slot, WorkStatus.RETRY_EXCEEDED);
        return;
      }
      if (type != QueuePairType.RC) {
        end(slot);
      }
    }
  }

  private Message message(SendSlot slot) {
    Pieces pieces = slot.pieces();
    byte[] data = slot.opcode().brings() ? NOTHING : new byte[(int) pieces.totalBytes()];
    pieces.copyTo(0, MemorySegment.ofArray(data), 0, data.length);
    return new Message(number(), connection, sent++, slot.opcode(), slot.solicited(), slot.immediate(),
        slot.invalidateKey(),
        slot.remoteAddress(), slot.remoteKey(), slot.compareOrAdd(), slot.swap(), slot.queueKey(),
        MemorySegment.ofArray(data),
        (int) pieces.totalBytes());
  }

  /** Sends; false when it cannot arrive. */
  private boolean carry(int number, Message message) {
    SimQueuePair to = fabric.queuePair(number);
    Loop loop = type == QueuePairType.UD ? (to == null ? null : to.loop()) : peerLoop;
    if (to == null || loop == null
        || (type == QueuePairType.RC ? fabric.breaks(context.loop()) : fabric.loses(context.loop()))) {
      return false;
    }
    long arrival = fabric.carry(context.loop(), loop, arrivalNs, () -> to.arrived(message));
    arrivalNs = Math.max(arrivalNs, arrival);
    return arrival != SimFabric.LOST;
  }

  /** The answer to the oldest request: data when it asked for any. */
  private void answered(long ofConnection, WorkStatus status, byte[] data) {
    if (ofConnection != connection || state() == QueuePairState.ERROR || state() == QueuePairState.RESET) {
      return;
    }
    SendSlot slot = unanswered.poll();
    if (slot == null) {
      return;
    }
    if (status != WorkStatus.SUCCESS) {
      fail(slot, status);
    } else if (!slot.opcode().brings()) {
      end(slot);
    } else if (slot.pieces().open()) {
      slot.pieces().copyFrom(0, MemorySegment.ofArray(data), 0, data.length);
      end(slot);
    } else {
      fail(slot, WorkStatus.LOCAL_PROTECTION_ERROR);
    }
  }

  // The responding end.

  private void arrived(Message message) {
    boolean receives = state() == QueuePairState.READY_TO_SEND || state() == QueuePairState.READY_TO_RECEIVE;
    if (isClosed() || !receives
        || (type != QueuePairType.UD && (message.from() != peer || message.connection() != connection))) {
      if (type == QueuePairType.RC && message.from() == peer) {
        answer(message, WorkStatus.RETRY_EXCEEDED, NOTHING);
      }
      return;
    }
    if (type != QueuePairType.RC) {
      respond(message);
      return;
    }
    notReady.add(message);
    respondInOrder();
  }

  @Override
  protected void onReceivePosted() {
    if (!notReady.isEmpty()) {
      // Not from within the post: its caller may not expect completions yet.
      context.loop().defer(this::respondInOrder);
    }
  }

  private void respondInOrder() {
    while (!notReady.isEmpty() && !isClosed() && respond(notReady.peek())) {
      notReady.poll();
    }
  }

  /** Carries out a message; false when it has to wait for a receive. */
  private boolean respond(Message m) {
    return switch (m.opcode()) {
      case SEND, SEND_WITH_IMMEDIATE, SEND_WITH_INVALIDATE -> message(m);
      case WRITE, WRITE_WITH_IMMEDIATE -> write(m);
      case READ -> read(m);
      case COMPARE_AND_SWAP, FETCH_AND_ADD -> atomic(m);
      case LOCAL_INVALIDATE, BIND_WINDOW -> true;
    };
  }

  private boolean message(Message m) {
    boolean datagram = type == QueuePairType.UD;
    if (datagram && m.queueKey() != queueKey) {
      return true;
    }
    ReceiveSlot slot = takeReceive();
    if (slot == null) {
      return type != QueuePairType.RC;
    }
    int front = datagram ? ReceiveRequest.ROUTE_HEADER_BYTES : 0;
    if (!slot.pieces().open()) {
      refuse(m, slot, WorkStatus.LOCAL_PROTECTION_ERROR, WorkStatus.REMOTE_OPERATION_ERROR);
    } else if (front + m.data().byteSize() > slot.pieces().totalBytes()) {
      refuse(m, slot, WorkStatus.LOCAL_LENGTH_ERROR, WorkStatus.REMOTE_INVALID_REQUEST);
    } else if (m.opcode() == SendOpcode.SEND_WITH_INVALIDATE
        && context.keys().invalidate(m.invalidateKey(), this) != KeyTable.Fault.NONE) {
      refuse(m, slot, WorkStatus.LOCAL_OPERATION_ERROR, WorkStatus.REMOTE_OPERATION_ERROR);
    } else {
      slot.pieces().copyFrom(front, m.data(), 0, m.data().byteSize());
      received(slot, CompletionOpcode.RECEIVE, front + (int) m.data().byteSize(), m.solicited());
      withSource(m.from());
      if (m.opcode() == SendOpcode.SEND_WITH_IMMEDIATE) {
        withImmediate(m.immediate());
      } else if (m.opcode() == SendOpcode.SEND_WITH_INVALIDATE) {
        withInvalidatedKey(m.invalidateKey());
      }
      answer(m, WorkStatus.SUCCESS, NOTHING);
    }
    return true;
  }

  private boolean write(Message m) {
    if (m.data().byteSize() > 0 && !allowed(m, m.data().byteSize(), Access.REMOTE_WRITE)) {
      return true;
    }
    ReceiveSlot slot = null;
    if (m.opcode() == SendOpcode.WRITE_WITH_IMMEDIATE) {
      slot = takeReceive();
      if (slot == null) {
        return type != QueuePairType.RC;
      }
    }
    KeyEntry entry = context.keys().find(m.remoteKey());
    if (m.data().byteSize() > 0 && entry != null) {
      MemorySegment.copy(m.data(), 0, entry.segment(), entry.offsetOf(m.remoteAddress()), m.data().byteSize());
    }
    if (slot != null) {
      received(slot, CompletionOpcode.RECEIVE_WRITE_WITH_IMMEDIATE, (int) m.data().byteSize(), m.solicited());
      withImmediate(m.immediate());
    }
    answer(m, WorkStatus.SUCCESS, NOTHING);
    return true;
  }

  private boolean read(Message m) {
    byte[] data = new byte[m.length()];
    if (m.length() > 0) {
      if (!allowed(m, m.length(), Access.REMOTE_READ)) {
        return true;
      }
      KeyEntry entry = context.keys().find(m.remoteKey());
      if (entry != null) {
        MemorySegment.copy(entry.segment(), JAVA_BYTE, entry.offsetOf(m.remoteAddress()), data, 0, data.length);
      }
    }
    answer(m, WorkStatus.SUCCESS, data);
    return true;
  }

  private boolean atomic(Message m) {
    if ((m.remoteAddress() & 7) != 0) {
      refuse(m, null, WorkStatus.SUCCESS, WorkStatus.REMOTE_INVALID_REQUEST);
      return true;
    }
    if (!allowed(m, 8, Access.REMOTE_ATOMIC)) {
      return true;
    }
    KeyEntry entry = context.keys().find(m.remoteKey());
    if (entry != null) {
      var handle = JAVA_LONG.varHandle();
      long at = entry.offsetOf(m.remoteAddress());
      long before = m.opcode() == SendOpcode.FETCH_AND_ADD
          ? (long) handle.getAndAdd(entry.segment(), at, m.compareOrAdd())
          : (long) handle.compareAndExchange(entry.segment(), at, m.compareOrAdd(), m.swap());
      byte[] data = new byte[8];
      MemorySegment.ofArray(data).set(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 0, before);
      answer(m, WorkStatus.SUCCESS, data);
    }
    return true;
  }

  private boolean allowed(Message m, long length, int access) {
    KeyTable.Fault fault = (remoteAccess & access) != access
        ? KeyTable.Fault.ACCESS
        : context.keys().check(m.remoteKey(), this, m.remoteAddress(), length, access);
    if (fault == KeyTable.Fault.NONE) {
      return true;
    }
    refuse(m, null, WorkStatus.SUCCESS, WorkStatus.REMOTE_ACCESS_ERROR);
    return false;
  }

  /** Refuses a message: on a reliable connection both ends fail, else it is as if it had not come. */
  private void refuse(Message m, @Nullable ReceiveSlot slot, WorkStatus here, WorkStatus there) {
    if (type == QueuePairType.UD) {
      if (slot != null) {
        // A receive that is too short for a datagram is used up.
        fail(slot, here);
      }
      return;
    }
    if (type == QueuePairType.UC && slot == null) {
      return;
    }
    answer(m, there, NOTHING);
    if (slot != null) {
      fail(slot, here);
    } else {
      fail(
          there == WorkStatus.REMOTE_ACCESS_ERROR
              ? AsyncEvent.Kind.QUEUE_PAIR_ACCESS_ERROR
              : AsyncEvent.Kind.QUEUE_PAIR_REQUEST_ERROR,
          "refused the peer's " + m.opcode() + ": " + there.text());
    }
  }

  private void answer(Message m, WorkStatus status, byte[] data) {
    if (type != QueuePairType.RC) {
      return;
    }
    SimQueuePair to = fabric.queuePair(m.from());
    Loop loop = peerLoop;
    if (to == null || loop == null) {
      return;
    }
    long arrival = fabric.carry(context.loop(), loop, answerArrivalNs, () -> to.answered(m.connection(), status, data));
    answerArrivalNs = Math.max(answerArrivalNs, arrival);
  }

  // The end.

  @Override
  protected void onError() {
    unanswered.clear();
    notReady.clear();
    SimCmId owner = id;
    if (owner != null) {
      owner.queuePairFailed();
    } else if (type == QueuePairType.RC && peerLoop != null) {
      int number = peer;
      SimQueuePair to = fabric.queuePair(number);
      if (to != null) {
        fabric.carry(context.loop(), to.loop(), arrivalNs, () -> to.peerGone(number()));
      }
    }
  }

  private void peerGone(int number) {
    if (number == peer && !isClosed() && state() != QueuePairState.RESET) {
      SendSlot slot = unanswered.poll();
      if (slot != null) {
        fail(slot, WorkStatus.RETRY_EXCEEDED);
      }
    }
  }

  @Override
  protected void onClosed() {
    unanswered.clear();
    notReady.clear();
    peerLoop = null;
    if (isClosed()) {
      fabric.remove(this);
    }
  }
}
