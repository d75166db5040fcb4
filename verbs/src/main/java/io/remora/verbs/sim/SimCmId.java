package io.remora.verbs.sim;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.Check;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.Context;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.soft.SoftProtectionDomain;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One end of a simulated connection. Belongs to its context's loop; what comes from the other end is carried there. */
final class SimCmId implements CmId {
  /** The fabric's number for a refusal by the application, as InfiniBand's. */
  private static final int CONSUMER_REJECT = 28;

  private static final int DATAGRAM_KEY = 0x0123_4567;

  private enum State {
    RESOLVING, IDLE, CONNECTING, REQUESTED, ACCEPTED, ESTABLISHED, ENDED
  }

  private final SimContext context;
  private final QueuePairType type;
  private final Handler handler;
  private final InetSocketAddress local;
  private final InetSocketAddress remote;
  private final @Nullable SimCmRequest request;
  private State state;
  private boolean closed;
  private @Nullable SimQueuePair queuePair;
  private @Nullable SimCmId peer;
  private Parameters asked = Parameters.DEFAULT;
  private long arrivalNs = Long.MIN_VALUE;

  private SimCmId(SimContext context, QueuePairType type, InetSocketAddress local, InetSocketAddress remote,
      Handler handler,
      @Nullable SimCmRequest request) {
    this.context = context;
    this.type = type;
    this.handler = handler;
    this.local = local;
    this.remote = remote;
    this.request = request;
    this.state = request == null ? State.RESOLVING : State.REQUESTED;
    context.opened("connection id");
  }

  static SimCmId resolving(SimContext context, InetSocketAddress address, QueuePairType type, Handler handler) {
    SimCmId id = new SimCmId(context, type, new InetSocketAddress(address.getAddress(), 0), address, handler, null);
    context.loop().defer(() -> {
      if (id.state == State.RESOLVING && !id.closed) {
        id.state = State.IDLE;
        handler.onResolved();
      }
    });
    return id;
  }

  static SimCmId requested(SimContext context, SimCmRequest request, Handler handler) {
    SimCmId id = new SimCmId(context, request.type(), request.localAddress(), request.remoteAddress(), handler,
        request);
    id.peer = request.from();
    return id;
  }

  QueuePairType type() {
    return type;
  }

  @Override
  public Context context() {
    return context;
  }

  @Override
  public InetSocketAddress localAddress() {
    return local;
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return remote;
  }

  @Override
  public QueuePair createQueuePair(ProtectionDomain domain, QueuePairConfig config) {
    Check.argument((state == State.IDLE || state == State.REQUESTED) && queuePair == null && !closed,
        "a queue pair is made once, after onResolved or for a request");
    Check.argument(config.type() == type && domain.context() == context,
        "the queue pair must be of type %s and of this context", type);
    context.check(config);
    SimQueuePair made = (SimQueuePair) context.newQueuePair((SoftProtectionDomain) domain, config);
    made.begin(this, DATAGRAM_KEY);
    queuePair = made;
    return made;
  }

  @Override
  public void connect(Parameters parameters) {
    SimQueuePair mine = ready(State.IDLE, parameters);
    state = State.CONNECTING;
    asked = parameters;
    SimListener listener = context.fabric().listener(remote, type);
    if (listener == null) {
      context.loop().defer(() -> failed(Status.NOT_FOUND, "nobody listens at " + remote));
      return;
    }
    SimCmRequest made = new SimCmRequest(this, listener, mine.number(), copy(parameters.privateData()),
        /* responderResources= */ parameters.initiatorDepth(), /* initiatorDepth= */ parameters.responderResources());
    long arrival = context.fabric().carry(context.loop(), listener.context().loop(), arrivalNs, () -> {
      if (!listener.arrived(made)) {
        carryBack(listener.context(), id -> id.failed(Status.NOT_FOUND, "nobody listens at " + remote));
      }
    });
    if (arrival == SimFabric.LOST) {
      context.loop().defer(() -> failed(Status.TIMED_OUT, remote + " does not answer"));
    }
    arrivalNs = Math.max(arrivalNs, arrival);
  }

  private SimQueuePair ready(State expected, Parameters parameters) {
    SimQueuePair mine = queuePair;
    Check.argument(state == expected && !closed && mine != null, "first the queue pair, and once");
    Check.argument(parameters.privateData().byteSize() <= SimContext.MAX_PRIVATE_DATA_BYTES,
        "private data of %d bytes: at most %d",
        parameters.privateData().byteSize(), SimContext.MAX_PRIVATE_DATA_BYTES);
    Check.argument(Math.max(parameters.initiatorDepth(), parameters.responderResources()) <= SimContext.MAX_READS
        && Math.min(parameters.initiatorDepth(), parameters.responderResources()) >= 0, "reads at once: 0 to %d",
        SimContext.MAX_READS);
    assert mine != null;
    return mine;
  }

  @Override
  public void accept(Parameters parameters) {
    SimQueuePair mine = ready(State.REQUESTED, parameters);
    SimCmRequest from = request;
    SimCmId other = peer;
    assert from != null && other != null;
    state = State.ACCEPTED;
    int reads = Math.min(parameters.initiatorDepth(), from.initiatorDepth());
    int serves = Math.min(parameters.responderResources(), from.responderResources());
    asked = new Parameters(MemorySegment.NULL, serves, reads);
    mine.connected(from.queuePair(), other.context.loop(), 0, reads);
    byte[] data = copy(parameters.privateData());
    int key = mine.queueKey();
    other.carryBack(context,
        id -> id.accepted(this, mine.number(), key, data, /* reads= */ serves, /* serves= */ reads));
  }

  private void accepted(SimCmId by, int number, int key, byte[] data, int reads, int serves) {
    SimQueuePair mine = queuePair;
    if (state != State.CONNECTING || closed || mine == null) {
      by.carryBack(context, id -> id.ended(Status.DISCONNECTED, "the other end has gone"));
      return;
    }
    state = State.ESTABLISHED;
    peer = by;
    mine.connected(number, by.context.loop(), 0, reads);
    by.carryBack(context, SimCmId::readyToUse);
    handler.onEstablished(established(data, serves, reads, number, key));
  }

  private void readyToUse() {
    if (state == State.ACCEPTED && !closed) {
      state = State.ESTABLISHED;
      SimCmRequest from = request;
      assert from != null;
      handler.onEstablished(
          established(new byte[0], asked.responderResources(), asked.initiatorDepth(), from.queuePair(), DATAGRAM_KEY));
    }
  }

  private Established established(byte[] data, int serves, int reads, int number, int key) {
    boolean datagram = type == QueuePairType.UD;
    return new Established(MemorySegment.ofArray(data).asReadOnly(), serves, reads,
        datagram ? new SimContext.SimAddressHandle(remote) : null, datagram ? number : 0, datagram ? key : 0);
  }

  @Override
  public void reject(MemorySegment privateData) {
    SimCmRequest from = request;
    Check.argument(state == State.REQUESTED && !closed && from != null, "only a request can be rejected, and once");
    assert from != null;
    state = State.ENDED;
    byte[] data = copy(privateData);
    from.from().carryBack(context, id -> id.rejected(data));
  }

  void rejected(byte[] data) {
    if (state == State.CONNECTING && !closed) {
      state = State.ENDED;
      handler.onRejected(CONSUMER_REJECT, MemorySegment.ofArray(data).asReadOnly());
    }
  }

  private void failed(Status reason, String text) {
    if (state == State.CONNECTING && !closed) {
      state = State.ENDED;
      handler.onFailed(reason, text);
    }
  }

  @Override
  public void disconnect() {
    end(Status.OK, "disconnected by this end", Status.OK, "disconnected by the other end");
  }

  /** The queue pair has failed by itself. */
  void queuePairFailed() {
    end(Status.DISCONNECTED, "the queue pair has failed", Status.DISCONNECTED, "the other end's queue pair has failed");
  }

  private void end(Status reason, String text, Status othersReason, String othersText) {
    if (state != State.ESTABLISHED && state != State.ACCEPTED) {
      return;
    }
    state = State.ENDED;
    SimCmId other = peer;
    if (other != null) {
      other.carryBack(context, id -> id.ended(othersReason, othersText));
    }
    SimQueuePair mine = queuePair;
    if (mine != null && !mine.isGone()) {
      mine.ended();
    }
    context.loop().defer(() -> {
      if (!closed) {
        handler.onDisconnected(reason, text);
      }
    });
  }

  private void ended(Status reason, String text) {
    if (state == State.ESTABLISHED || state == State.ACCEPTED) {
      state = State.ENDED;
      SimQueuePair mine = queuePair;
      if (mine != null && !mine.isGone()) {
        mine.ended();
      }
      if (!closed) {
        handler.onDisconnected(reason, text);
      }
    } else if (state == State.CONNECTING) {
      failed(reason, text);
    }
  }

  /** Has {@code what} happen to this id on its loop, after a message's time; the way from one end is in order. */
  void carryBack(SimContext from, Consumer<SimCmId> what) {
    from.fabric().carry(from.loop(), context.loop(), Long.MIN_VALUE, () -> what.accept(this));
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    SimCmRequest from = request;
    if (state == State.REQUESTED && from != null) {
      reject(MemorySegment.NULL);
    } else {
      end(Status.OK, "closed", Status.OK, "disconnected by the other end");
    }
    state = State.ENDED;
    closed = true;
    context.closed("connection id");
  }

  static byte[] copy(MemorySegment data) {
    return data.toArray(JAVA_BYTE);
  }
}
