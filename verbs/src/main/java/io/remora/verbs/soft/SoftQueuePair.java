package io.remora.verbs.soft;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Capability;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/**
 * A queue pair in software: the queues, the state machine, completion and flushing in order. A provider carries the requests: {@link #transmit} takes them by {@link #next} and
 * {@link #begun}, and tells their ends by {@link #end} and {@link #fail}; what comes from the peer takes receives by {@link #takeReceive} and {@link #received}. Belongs to its context's
 * loop; allocates nothing per request.
 *
 * <p>A send request goes as {@link SendQueue} says. In the state ERROR nothing begins: once the provider touches no memory of requests any more ({@link #quiet}), all that was posted
 * is flushed in order.
 */
public abstract class SoftQueuePair implements QueuePair {
  private final SoftContext context;
  private final SoftProtectionDomain domain;
  private final QueuePairConfig config;
  private final SoftCompletionQueue sendCompletions;
  private final SoftCompletionQueue receiveCompletions;
  private final @Nullable SoftSharedReceiveQueue shared;
  private final ReceiveQueue receives;
  private final int number;
  private final Arena memory;
  private final SendLimits limits;
  private final SendQueue sends;
  private final Runnable sendTask = this::onSendTask;
  private boolean scheduled;
  private boolean flushDue;
  private boolean closed;
  private QueuePairState state = QueuePairState.RESET;

  /** One of {@code domain}, whose context has checked {@code config}. */
  protected SoftQueuePair(SoftProtectionDomain domain, QueuePairConfig config) {
    this.context = domain.context();
    this.domain = domain;
    this.config = config;
    this.sendCompletions = (SoftCompletionQueue) config.sendCompletions();
    this.receiveCompletions = (SoftCompletionQueue) config.receiveCompletions();
    this.shared = (SoftSharedReceiveQueue) config.sharedReceives();
    this.receives = shared != null
        ? shared.queue()
        : new ReceiveQueue(domain, config.maxReceives(), config.maxPieces());
    this.memory = context.loop().newArena();
    this.limits = new SendLimits(this, domain, config);
    this.sends = new SendQueue(config, memory);
    if (shared != null) {
      shared.addUser(this);
    }
    sendCompletions.addUser(this);
    receiveCompletions.addUser(this);
    domain.opened("queue pair");
    this.number = context.add(this);
  }

  // What users see.

  @Override
  public final int number() {
    return number;
  }

  @Override
  public final QueuePairType type() {
    return config.type();
  }

  @Override
  public final QueuePairState state() {
    return state;
  }

  @Override
  public final SoftProtectionDomain protectionDomain() {
    return domain;
  }

  final SoftProtectionDomain domain() {
    return domain;
  }

  @Override
  public final Status postSend(SendRequest request) {
    assert context.loop().inLoop();
    if ((state != QueuePairState.READY_TO_SEND && state != QueuePairState.ERROR) || closed) {
      return Status.INVALID;
    }
    if (!limits.carries(request.opcode()) || !peerCan(request.opcode())) {
      return Status.UNSUPPORTED;
    }
    if (!limits.allows(request)) {
      return Status.INVALID;
    }
    if (sends.isFull()) {
      return Status.NO_RESOURCES;
    }
    sends.post(request);
    schedule();
    return Status.OK;
  }

  @Override
  public final Status postReceive(ReceiveRequest request) {
    assert context.loop().inLoop();
    if (shared != null || state == QueuePairState.RESET || closed) {
      return Status.INVALID;
    }
    Status status = receives.post(request);
    if (status.isOk()) {
      if (state == QueuePairState.ERROR) {
        schedule();
      } else {
        onReceivePosted();
      }
    }
    return status;
  }

  @Override
  public final void modify(QueuePairAttributes attributes) {
    Check.argument(!closed, "the queue pair is closed");
    switch (attributes.state()) {
      case ERROR -> enterError();
      case RESET -> reset();
      default -> {
        context.require(Capability.MANUAL_CONNECTION, "to bring a queue pair to " + attributes.state());
        change(attributes);
      }
    }
  }

  @Override
  public final void close() {
    if (closed) {
      return;
    }
    if (state != QueuePairState.RESET && state != QueuePairState.ERROR) {
      state = QueuePairState.ERROR;
      onError();
    }
    closed = true;
    onClosed();
    sends.clear();
    sendCompletions.forget(number);
    receiveCompletions.forget(number);
    sendCompletions.removeUser(this);
    receiveCompletions.removeUser(this);
    if (shared != null) {
      shared.removeUser(this);
    }
    context.remove(this);
    domain.closed("queue pair");
    memory.close();
  }

  @Override
  public String toString() {
    return context.attributes().name() + " queue pair " + number + " " + state;
  }

  // For providers: the state.

  /** What was asked for. */
  protected final QueuePairConfig config() {
    return config;
  }

  /** Whether {@link #close} was called. */
  protected final boolean isClosed() {
    return closed;
  }

  /** Says the state that the connection has brought it to; not for ERROR and RESET. */
  protected final void setState(QueuePairState next) {
    Check.that(next != QueuePairState.ERROR && next != QueuePairState.RESET, "use fail or modify");
    state = next;
    if (sends.hasWaiting()) {
      schedule();
    }
  }

  /** How many reads and atomics may be under way at once; the rest waits in the queue. */
  protected final void setMaxReads(int count) {
    sends.setMaxReads(count);
  }

  /** Carries out a change of state by its user; for providers that are capable of {@link Capability#MANUAL_CONNECTION}. */
  protected void change(QueuePairAttributes attributes) {
    throw new RemoraException(Status.UNSUPPORTED,
        context.attributes().provider() + " connects by the connection manager only");
  }

  /** Whether the peer of the connection takes part in an operation that the device is capable of; for devices whose peers differ. At the post. */
  protected boolean peerCan(SendOpcode opcode) {
    return true;
  }

  // For providers: the send queue.

  /** Takes what {@link #next} gives, as long as the transport has room. At the end of a turn after a post, and when {@link #schedule}d. */
  protected abstract void transmit();

  /** Has {@link #transmit} called at the end of this turn, or what waits flushed. */
  protected final void schedule() {
    if (!scheduled && !closed) {
      scheduled = true;
      context.loop().defer(sendTask);
    }
  }

  private void onSendTask() {
    scheduled = false;
    if (closed) {
      return;
    }
    if (state == QueuePairState.ERROR) {
      flushWhenQuiet();
    } else if (sends.hasWaiting() || flushDue) {
      transmit();
    }
  }

  /** The next request to begin; null when there is none, or it waits for reads to end. Requests to this end alone are carried out on the way. */
  protected final @Nullable SendSlot next() {
    while (state == QueuePairState.READY_TO_SEND) {
      SendSlot slot = sends.next();
      if (slot == null) {
        return null;
      }
      if (slot.opcode != SendOpcode.LOCAL_INVALIDATE && slot.opcode != SendOpcode.BIND_WINDOW) {
        if (slot.pieces().open()) {
          return slot;
        }
        sends.begin(slot);
        fail(slot, WorkStatus.LOCAL_PROTECTION_ERROR);
        return null;
      }
      if (!mayCarryOut(slot)) {
        return null;
      }
      sends.begin(slot);
      carryOut(slot);
    }
    return null;
  }

  /** Whether a request to this end alone can be carried out now; if not, {@link #schedule} later. For providers that share keys with others. */
  protected boolean mayCarryOut(SendSlot slot) {
    return true;
  }

  private void carryOut(SendSlot slot) {
    WorkStatus status = slot.carryOut(context.keys(), this);
    if (status == WorkStatus.SUCCESS) {
      end(slot);
    } else {
      fail(slot, status);
    }
  }

  /** The slot that {@link #next} gave has begun. */
  protected final void begun(SendSlot slot) {
    sends.begin(slot);
  }

  /** A request that has begun has succeeded. */
  protected final void end(SendSlot slot) {
    sends.end(slot);
    if (slot.opcode.brings() && sends.hasWaiting()) {
      schedule();
    }
    show();
  }

  /** The oldest request that has begun and not ended, or null. */
  protected final @Nullable SendSlot oldest() {
    return sends.oldest();
  }

  /** A request that has begun has failed, and with it the queue pair. */
  protected final void fail(SendSlot slot, WorkStatus status) {
    sends.fail(slot, status);
    enterError();
  }

  /** The queue pair has failed for a reason that is no request's. Nothing happens when it had already. */
  protected final void fail(AsyncEvent.Kind kind, String text) {
    if (state != QueuePairState.ERROR && state != QueuePairState.RESET) {
      enterError();
      context.raise(new AsyncEvent(kind, this, text));
    }
  }

  /** The connection has ended: the queue pair goes to ERROR, without an event. */
  protected final void disconnected() {
    if (state != QueuePairState.RESET) {
      enterError();
    }
  }

  // For providers: receives.

  /** Takes the next receive, the provider's until {@link #received} or {@link #giveUp}; null when there is none. */
  protected final @Nullable ReceiveSlot takeReceive() {
    ReceiveSlot slot = receives.take();
    if (slot != null && shared != null) {
      shared.taken();
    }
    return slot;
  }

  /** A message has filled {@code slot}. What else it brought is said by {@link #withImmediate} and the like right after. */
  protected final void received(ReceiveSlot slot, CompletionOpcode opcode, int length, boolean solicited) {
    long id = slot.id;
    receives.release(slot);
    receiveCompletions.push(id, WorkStatus.SUCCESS, opcode, length, number, solicited);
  }

  /** The last receive brought 32 bits. */
  protected final void withImmediate(int value) {
    receiveCompletions.immediateOfLast(value);
  }

  /** The last receive made a key invalid. */
  protected final void withInvalidatedKey(int key) {
    receiveCompletions.invalidatedKeyOfLast(key);
  }

  /** Who sent the last receive. */
  protected final void withSource(int queuePair) {
    receiveCompletions.sourceOfLast(queuePair);
  }

  /** A receive that was taken has failed, and with it the queue pair. */
  protected final void fail(ReceiveSlot slot, WorkStatus status) {
    long id = slot.id;
    receives.release(slot);
    receiveCompletions.push(id, status, CompletionOpcode.RECEIVE, 0, number, true);
    enterError();
  }

  /** A receive that was taken is not filled because the connection ends; it shows as flushed. */
  protected final void giveUp(ReceiveSlot slot) {
    long id = slot.id;
    receives.release(slot);
    receiveCompletions.push(id, WorkStatus.FLUSH_ERROR, CompletionOpcode.RECEIVE, 0, number, true);
  }

  /** There is one more receive: for providers that make peers wait for it. */
  protected void onReceivePosted() {}

  // For providers: the end.

  /** The state is ERROR now: no more requests begin, and the transport is to end. */
  protected abstract void onError();

  /** Whether the transport touches no memory of requests any more, after {@link #onError}; else {@link #schedule} when it holds. */
  protected boolean quiet() {
    return true;
  }

  /** Emptied for another life, or closed: drop the transport. */
  protected abstract void onClosed();

  private void enterError() {
    if (state == QueuePairState.ERROR) {
      return;
    }
    state = QueuePairState.ERROR;
    flushDue = true;
    onError();
    flushWhenQuiet();
    if (shared != null) {
      context.raise(new AsyncEvent(AsyncEvent.Kind.LAST_WORK_REQUEST_REACHED, this,
          "it takes no more receives of its shared queue"));
    }
  }

  private void flushWhenQuiet() {
    if (quiet()) {
      flushDue = false;
      flush();
    }
  }

  private void flush() {
    sends.flush();
    show();
    if (shared == null) {
      for (ReceiveSlot slot = receives.take(); slot != null; slot = receives.take()) {
        giveUp(slot);
      }
    }
  }

  private void reset() {
    if (state != QueuePairState.RESET) {
      if (state != QueuePairState.ERROR) {
        state = QueuePairState.ERROR;
        onError();
      }
      onClosed();
      sends.clear();
      flushDue = false;
      if (shared == null) {
        for (ReceiveSlot slot = receives.take(); slot != null; slot = receives.take()) {
          receives.release(slot);
        }
      }
      state = QueuePairState.RESET;
    }
  }

  private void show() {
    for (SendSlot slot = sends.ended(); slot != null; slot = sends.ended()) {
      long id = slot.id;
      SendOpcode opcode = slot.opcode;
      WorkStatus status = slot.status;
      int length = (int) Math.min(Integer.MAX_VALUE, slot.pieces().totalBytes());
      boolean shows = slot.signalled || status != WorkStatus.SUCCESS;
      sends.remove();
      if (shows && !sendCompletions.push(id, status, CompletionOpcode.of(opcode), length, number, false)) {
        return;
      }
    }
  }
}
