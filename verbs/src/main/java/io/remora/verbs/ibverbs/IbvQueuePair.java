package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.base.Status;
import io.remora.verbs.Capability;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/** A queue pair of the device. Belongs to its context's loop; posting allocates nothing. */
final class IbvQueuePair implements QueuePair {
  private static final String KIND = "queue pair";

  private final IbvProtectionDomain domain;
  private final OpenDevice device;
  private final QueuePairConfig config;
  private final IbvCompletionQueue sendCompletions;
  private final IbvCompletionQueue receiveCompletions;
  private final long queuePair;
  private final int number;
  private final QueuePairChanges changes;
  private final SendWriter sends;
  private final ReceiveWriter receives;
  /** Null where the device keeps the order itself. */
  private final @Nullable SendOrder order;
  private final int orderNumber;
  /** As far as this end knows: a connection that fails by itself is found out by {@link #state}. */
  private QueuePairState known = QueuePairState.RESET;
  private @Nullable IbvCmId connection;
  private boolean retired;
  private boolean closed;

  /** In the state RESET; {@code config} has been checked. */
  IbvQueuePair(IbvProtectionDomain domain, QueuePairConfig config) {
    this.domain = domain;
    this.device = domain.context().device();
    this.config = config;
    this.sendCompletions = (IbvCompletionQueue) config.sendCompletions();
    this.receiveCompletions = (IbvCompletionQueue) config.receiveCompletions();
    this.queuePair = create();
    this.number = Memory.getInt(queuePair + QueuePairLayout.NUMBER);
    this.changes = new QueuePairChanges(device, queuePair, config.type());
    this.sends = new SendWriter(domain, config);
    this.receives = new ReceiveWriter(domain, config.maxPieces());
    this.order = device.quirks.showsReadsLate() ? new SendOrder(number, config.maxSends()) : null;
    this.orderNumber = order == null ? -1 : sendCompletions.order(order);
    device.events.add(queuePair, domain.context(), this);
    sendCompletions.users().opened(KIND);
    receiveCompletions.users().opened(KIND);
    if (config.sharedReceives() instanceof IbvSharedReceiveQueue shared) {
      shared.users().opened(KIND);
    }
    domain.children().opened(KIND);
    domain.context().add(this);
  }

  private long create() {
    try (Arena arena = Arena.ofConfined()) {
      long wanted = arena.allocate(QueuePairInitLayout.BYTES, 8).address();
      Memory.putLong(wanted + QueuePairInitLayout.SEND_CQ, sendCompletions.address());
      Memory.putLong(wanted + QueuePairInitLayout.RECEIVE_CQ, receiveCompletions.address());
      if (config.sharedReceives() instanceof IbvSharedReceiveQueue shared) {
        Memory.putLong(wanted + QueuePairInitLayout.SRQ, shared.address());
      } else {
        Memory.putInt(wanted + QueuePairInitLayout.MAX_RECEIVES, Math.max(1, config.maxReceives()));
        Memory.putInt(wanted + QueuePairInitLayout.MAX_RECEIVE_PIECES, Math.max(1, config.maxPieces()));
      }
      Memory.putInt(wanted + QueuePairInitLayout.MAX_SENDS, config.maxSends());
      Memory.putInt(wanted + QueuePairInitLayout.MAX_SEND_PIECES, Math.max(1, config.maxPieces()));
      Memory.putInt(wanted + QueuePairInitLayout.MAX_INLINE, config.maxInlineBytes());
      Memory.putInt(wanted + QueuePairInitLayout.TYPE, config.type().code());
      return NativeErrors.check(device.libraries.verbs().createQp.call(domain.address(), wanted),
          device.what("a queue pair of " + config.maxSends() + " sends and " + config.maxReceives() + " receives"));
    }
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public QueuePairType type() {
    return config.type();
  }

  @Override
  public QueuePairState state() {
    if (!closed && !retired) {
      known = changes.query();
    }
    return known;
  }

  @Override
  public ProtectionDomain protectionDomain() {
    return domain;
  }

  IbvProtectionDomain domain() {
    return domain;
  }

  boolean isShared() {
    return config.sharedReceives() != null;
  }

  boolean isOpen() {
    return !closed;
  }

  /** For the connection manager. */
  QueuePairChanges changes() {
    return changes;
  }

  /** The connection manager has brought it to that state. */
  void reached(QueuePairState state) {
    known = state;
  }

  /** It is for {@code id}, which hears when it can do no more. */
  void belongsTo(IbvCmId id) {
    connection = id;
  }

  /** The device says that it has failed. */
  void failed() {
    if (closed || known == QueuePairState.ERROR) {
      return;
    }
    // A datagram's or an unreliable connection's send queue may fail alone.
    known = config.type() == QueuePairType.RC ? QueuePairState.ERROR : changes.query();
    if (order != null) {
      // Before the connection ends: from its end on siw forgets the reads that are under way.
      changes.to(QueuePairAttributes.to(QueuePairState.ERROR));
      sendCompletions.failOrder(orderNumber);
    }
    if (connection != null && known == QueuePairState.ERROR) {
      connection.queuePairEnded(Status.DISCONNECTED, "the queue pair has failed");
    }
  }

  private boolean mayPostSends() {
    return !closed && (known == QueuePairState.READY_TO_SEND || known == QueuePairState.ERROR);
  }

  @Override
  public Status postSend(SendRequest request) {
    assert domain.context().loop().inLoop();
    if (!mayPostSends()) {
      return Status.INVALID;
    }
    Status status = sends.check(request);
    if (!status.isOk()) {
      return status;
    }
    if (losesPosts()) {
      return sendCompletions.flush(request.id(), number) ? Status.OK : Status.NO_RESOURCES;
    }
    if (isFull()) {
      return Status.NO_RESOURCES;
    }
    write(0, request);
    status = PostResult.status(device.path.postSend(queuePair, sends.first(), sends.refused()));
    if (status.isOk() && Memory.getLong(sends.refused()) != 0) {
      status = Status.NO_RESOURCES;
    }
    if (status.isOk()) {
      posted(request);
    } else {
      withdraw(1);
    }
    return status;
  }

  private boolean isFull() {
    return order != null && order.isFull();
  }

  private void write(int index, SendRequest request) {
    sends.write(index, request);
    if (order != null) {
      sends.name(index, SendOrders.name(orderNumber, order.add(request)));
    }
  }

  private void withdraw(int count) {
    if (order != null) {
      order.withdraw(count);
    }
  }

  /** Whether the driver would neither carry out nor flush what is posted now. */
  private boolean losesPosts() {
    return known == QueuePairState.ERROR && device.quirks.losesPostsInError();
  }

  @Override
  public int postSends(SendRequest[] requests, int count) {
    assert domain.context().loop().inLoop();
    if (losesPosts()) {
      return QueuePair.super.postSends(requests, count);
    }
    int done = 0;
    while (done < count && mayPostSends()) {
      int chained = 0;
      while (chained < SendWriter.BATCH && done + chained < count && !isFull()
          && sends.check(requests[done + chained]).isOk()) {
        write(chained, requests[done + chained]);
        if (chained > 0) {
          sends.chain(chained);
        }
        chained++;
      }
      if (chained == 0) {
        break;
      }
      int taken = sends.taken(device.path.postSend(queuePair, sends.first(), sends.refused()), chained);
      for (int i = 0; i < taken; i++) {
        posted(requests[done + i]);
      }
      done += taken;
      if (taken < chained) {
        withdraw(chained - taken);
        break;
      }
    }
    return done;
  }

  private static void posted(SendRequest request) {
    if (request.opcode() == SendOpcode.BIND_WINDOW && request.window() instanceof IbvMemoryWindow window) {
      window.bound(request.bindKey());
    }
  }

  @Override
  public Status postReceive(ReceiveRequest request) {
    assert domain.context().loop().inLoop();
    if (closed || isShared() || known == QueuePairState.RESET || !receives.write(request)) {
      return Status.INVALID;
    }
    if (losesPosts()) {
      return receiveCompletions.flush(request.id(), number) ? Status.OK : Status.NO_RESOURCES;
    }
    return PostResult.status(device.path.postRecv(queuePair, receives.request(), receives.refused()));
  }

  @Override
  public void modify(QueuePairAttributes attributes) {
    assert domain.context().loop().inLoop();
    Check.argument(!closed, "the queue pair is closed");
    QueuePairState state = attributes.state();
    if (state != QueuePairState.ERROR && state != QueuePairState.RESET) {
      device.require(Capability.MANUAL_CONNECTION, "to bring a queue pair to " + state);
    }
    if (state == QueuePairState.RESET && device.fabric == Fabric.IWARP) {
      retire();
    } else {
      changes.to(attributes);
    }
    if (state == QueuePairState.ERROR && order != null) {
      sendCompletions.failOrder(orderNumber);
    }
    known = state;
    if (connection != null && (state == QueuePairState.ERROR || state == QueuePairState.RESET)) {
      connection.queuePairEnded(Status.OK, "ended by this end");
    }
  }

  /** iWARP's queue pairs have one life: this is the end of it, with nothing left to show. */
  private void retire() {
    changes.to(QueuePairAttributes.to(QueuePairState.ERROR));
    sendCompletions.forget(number);
    receiveCompletions.forget(number);
    if (order != null) {
      order.clear();
    }
    retired = true;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (connection != null) {
      connection.queuePairEnded(Status.OK, "ended by this end");
    }
    NativeErrors.check(device.libraries.verbs().destroyQp.call(queuePair), device.what("close a " + KIND));
    closed = true;
    domain.context().remove(this);
    known = QueuePairState.ERROR;
    device.events.remove(queuePair);
    sendCompletions.forget(number);
    if (receiveCompletions != sendCompletions) {
      receiveCompletions.forget(number);
    }
    sendCompletions.users().closed(KIND);
    receiveCompletions.users().closed(KIND);
    if (config.sharedReceives() instanceof IbvSharedReceiveQueue shared) {
      shared.users().closed(KIND);
    }
    domain.children().closed(KIND);
    sends.close();
    receives.close();
    if (order != null) {
      sendCompletions.removeOrder(orderNumber);
    }
    changes.close();
  }

  @Override
  public String toString() {
    return device.name + " queue pair " + number + " " + known;
  }
}
