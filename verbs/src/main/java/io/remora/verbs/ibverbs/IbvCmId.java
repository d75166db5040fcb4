package io.remora.verbs.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.Context;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** An {@code rdma_cm_id} whose queue pair is this provider's own, so that it is brought up here. Belongs to its context's loop. */
final class IbvCmId implements CmId, CmTarget {
  private static final String KIND = "connection";
  private static final int RESOLVE_MS = 2000;
  /** The reason of InfiniBand's connection manager for a service that there is not. */
  private static final int REJECT_NO_SERVICE = 8;

  private enum State {
    RESOLVING, RESOLVED, CONNECTING, REQUESTED, ACCEPTED, ESTABLISHED, ENDED
  }

  private final IbvContext context;
  private final OpenDevice device;
  private final CmLibrary cm;
  private final IbvConnections connections;
  private final QueuePairType type;
  private final Handler handler;
  private final @Nullable IbvCmRequest request;
  private final InetSocketAddress wanted;
  private long id;
  private State state;
  private @Nullable IbvQueuePair queuePair;
  private @Nullable IbvAddressHandle destination;
  private int serves;
  private int reads;
  private boolean leaving;
  private Status reason = Status.OK;
  private String reasonText = "disconnected";
  private boolean closed;

  private IbvCmId(IbvContext context, IbvConnections connections, QueuePairType type, Handler handler,
      InetSocketAddress wanted, @Nullable IbvCmRequest request) {
    this.context = context;
    this.device = context.device();
    this.cm = device.libraries.cm();
    this.connections = connections;
    this.type = type;
    this.handler = handler;
    this.wanted = wanted;
    this.request = request;
    this.state = request == null ? State.RESOLVING : State.REQUESTED;
  }

  /** One that looks for the way to {@code address}. */
  static IbvCmId resolving(IbvContext context, IbvConnections connections, InetSocketAddress address,
      QueuePairType type, Handler handler) {
    IbvCmId made = new IbvCmId(context, connections, type, handler, address, null);
    made.id = connections.newId(type, made);
    context.children().opened(KIND);
    try (Arena arena = Arena.ofConfined()) {
      long raw = arena.allocate(SocketAddress.BYTES, 8).address();
      SocketAddress.write(address, raw);
      made.orFail(made.cm.resolveAddr.call(made.id, 0, raw, RESOLVE_MS), "look for the way to " + address);
    } catch (RemoraException e) {
      made.close();
      throw e;
    }
    return made;
  }

  /** The accepting end of {@code request}. */
  static IbvCmId requested(IbvContext context, IbvCmRequest request, Handler handler) {
    IbvConnections connections = context.connections();
    IbvCmId made = new IbvCmId(context, connections, request.type(), handler, request.remoteAddress(), request);
    made.id = request.id();
    connections.adopt(made.id, made);
    context.children().opened(KIND);
    return made;
  }

  @Override
  public Loop loop() {
    return context.loop();
  }

  @Override
  public Context context() {
    return context;
  }

  @Override
  public InetSocketAddress localAddress() {
    return closed ? new InetSocketAddress(0) : SocketAddress.read(id + CmIdLayout.SOURCE);
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return wanted;
  }

  @Override
  public QueuePair createQueuePair(ProtectionDomain domain, QueuePairConfig config) {
    Check.argument((state == State.RESOLVED || state == State.REQUESTED) && queuePair == null && !closed,
        "a queue pair is made once, after onResolved or for a request");
    Check.argument(config.type() == type && domain instanceof IbvProtectionDomain d && d.context() == context,
        "the queue pair must be of type %s and of this context", type);
    IbvQueuePair made = ((IbvProtectionDomain) domain).newQueuePair(config);
    try {
      made.changes().follow(cm, id, QueuePairState.INIT, 0);
    } catch (RemoraException e) {
      made.close();
      throw e;
    }
    made.reached(QueuePairState.INIT);
    made.belongsTo(this);
    queuePair = made;
    return made;
  }

  @Override
  public void connect(Parameters parameters) {
    IbvQueuePair mine = ready(State.RESOLVED, parameters);
    serves = parameters.responderResources();
    reads = parameters.initiatorDepth();
    if (type == QueuePairType.UD) {
      bringUpDatagrams(mine);
    }
    try (Arena arena = Arena.ofConfined()) {
      long raw = IbvConnections.parameters(arena, device, parameters, mine, serves, reads);
      state = State.CONNECTING;
      orFail(cm.connect.call(id, raw), "connect to " + wanted);
    }
  }

  @Override
  public void accept(Parameters parameters) {
    IbvQueuePair mine = ready(State.REQUESTED, parameters);
    IbvCmRequest from = request;
    assert from != null;
    serves = Math.min(parameters.responderResources(), from.responderResources());
    reads = Math.min(parameters.initiatorDepth(), from.initiatorDepth());
    try (Arena arena = Arena.ofConfined()) {
      long raw = IbvConnections.parameters(arena, device, parameters, mine, serves, reads);
      if (type == QueuePairType.UD) {
        bringUpDatagrams(mine);
      } else {
        bringUp(mine);
      }
      state = State.ACCEPTED;
      if (orFail(cm.accept.call(id, raw), "accept " + wanted) && type == QueuePairType.UD) {
        // The library has no event for this end: a datagram connection is but an exchange of numbers.
        context.loop().defer(this::datagramsAccepted);
      }
    }
  }

  private IbvQueuePair ready(State expected, Parameters parameters) {
    assert context.loop().inLoop();
    IbvQueuePair mine = queuePair;
    Check.argument(state == expected && !closed && mine != null && mine.isOpen(), "first the queue pair, and once");
    int most = device.attributes.maxReads();
    Check.argument(Math.max(parameters.initiatorDepth(), parameters.responderResources()) <= most
        && Math.min(parameters.initiatorDepth(), parameters.responderResources()) >= 0, "reads at once: 0 to %d", most);
    assert mine != null;
    return mine;
  }

  /** To READY_TO_SEND, as the library does it for queue pairs that it has made itself. */
  private void bringUp(IbvQueuePair mine) {
    mine.changes().follow(cm, id, QueuePairState.INIT, 0);
    mine.changes().follow(cm, id, QueuePairState.READY_TO_RECEIVE, serves);
    mine.changes().follow(cm, id, QueuePairState.READY_TO_SEND, reads);
    mine.reached(QueuePairState.READY_TO_SEND);
  }

  private static void bringUpDatagrams(IbvQueuePair mine) {
    mine.changes().datagram(QueuePairState.READY_TO_RECEIVE);
    mine.changes().datagram(QueuePairState.READY_TO_SEND);
    mine.reached(QueuePairState.READY_TO_SEND);
  }

  /** False, and the handler hears of it at the end of the turn, when {@code result} is a negated error number. */
  private boolean orFail(long result, String what) {
    if (result < 0) {
      RemoraException reason = NativeErrors.of((int) -result, device.what(what));
      context.loop().defer(() -> failed(reason.status(), reason.getMessage()));
    }
    return result >= 0;
  }

  @Override
  public void onEvent(CmEvent event) {
    if (closed || state == State.ENDED) {
      return;
    }
    switch (event.type()) {
      case CmEvent.ADDR_RESOLVED -> onAddressResolved();
      case CmEvent.ROUTE_RESOLVED -> onRouteResolved();
      case CmEvent.CONNECT_RESPONSE -> onResponse(event);
      case CmEvent.ESTABLISHED -> onEstablished(event);
      case CmEvent.REJECTED -> onRejected(event);
      case CmEvent.ADDR_ERROR, CmEvent.ROUTE_ERROR, CmEvent.CONNECT_ERROR, CmEvent.UNREACHABLE -> failed(reason(event),
          "no connection with " + wanted + ": "
              + (event.status() < 0 ? NativeErrors.text(-event.status()) : "no answer"));
      case CmEvent.DISCONNECTED -> ended(reason, reasonText);
      case CmEvent.DEVICE_REMOVAL -> ended(Status.DISCONNECTED, "device " + device.name + " has gone");
      default -> {
        // TIMEWAIT_EXIT, ADDR_CHANGE, multicast: nothing to do.
      }
    }
  }

  private static Status reason(CmEvent event) {
    return event.status() < 0 ? NativeErrors.status(-event.status()) : Status.TIMED_OUT;
  }

  private void onAddressResolved() {
    long on = Memory.getLong(id + CmIdLayout.CONTEXT);
    if (on != device.context) {
      failed(Status.NOT_FOUND, "the way to " + wanted + " leads over device "
          + (on == 0 ? "none" : NativeDevice.name(Memory.getLong(on + ContextLayout.DEVICE))) + ", not " + device.name);
      return;
    }
    orFail(cm.resolveRoute.call(id, RESOLVE_MS), "look for the way to " + wanted);
  }

  private void onRouteResolved() {
    state = State.RESOLVED;
    handler.onResolved();
  }

  /** The other end accepts: time to bring the queue pair up, and to say so. */
  private void onResponse(CmEvent event) {
    IbvQueuePair mine = queuePair;
    if (mine == null || !mine.isOpen()) {
      failed(Status.ABORTED, "the queue pair has been closed");
      return;
    }
    agree(event);
    try {
      bringUp(mine);
    } catch (RemoraException e) {
      failed(e.status(), e.getMessage());
      return;
    }
    if (orFail(cm.establish.call(id), "connect to " + wanted)) {
      state = State.ESTABLISHED;
      handler.onEstablished(new Established(event.privateData(), serves, reads, null, 0, 0));
    }
  }

  private void onEstablished(CmEvent event) {
    boolean connecting = state == State.CONNECTING;
    if (connecting && type != QueuePairType.UD) {
      agree(event);
    }
    IbvQueuePair mine = queuePair;
    if (mine == null || !mine.isOpen()) {
      return;
    }
    mine.reached(QueuePairState.READY_TO_SEND);
    state = State.ESTABLISHED;
    if (type == QueuePairType.UD) {
      IbvAddressHandle way = new IbvAddressHandle(mine.domain(), wanted, event.address().toArray(JAVA_BYTE));
      destination = way;
      handler.onEstablished(
          new Established(event.privateData(), serves, reads, way, event.queuePair(), event.queueKey()));
    } else {
      handler.onEstablished(new Established(event.privateData(), serves, reads, null, 0, 0));
    }
  }

  private void datagramsAccepted() {
    if (state == State.ACCEPTED && !closed) {
      state = State.ESTABLISHED;
      handler.onEstablished(new Established(MemorySegment.NULL, serves, reads, null, 0, 0));
    }
  }

  /** What the other end grants. MPA revision 1 says nothing of it, which looks like 0. */
  private void agree(CmEvent event) {
    boolean silent = device.fabric == Fabric.IWARP && event.initiatorDepth() == 0 && event.responderResources() == 0;
    if (!silent) {
      serves = Math.min(serves, event.responderResources());
      reads = Math.min(reads, event.initiatorDepth());
    }
  }

  private void onRejected(CmEvent event) {
    if (device.fabric != Fabric.IWARP && event.status() == REJECT_NO_SERVICE) {
      failed(Status.NOT_FOUND, "nobody listens at " + wanted);
      return;
    }
    end();
    handler.onRejected(Math.abs(event.status()), event.privateData());
  }

  private void failed(Status reason, String text) {
    if (!closed && state != State.ENDED) {
      end();
      handler.onFailed(reason, text);
    }
  }

  private void ended(Status reason, String text) {
    if (state == State.ESTABLISHED || state == State.ACCEPTED) {
      if (!leaving) {
        // Answers the other end's wish.
        cm.disconnect.call(id);
      }
      end();
      handler.onDisconnected(reason, text);
    } else {
      failed(Status.DISCONNECTED, text);
    }
  }

  /** The connection is no more, and so the queue pair has failed. */
  private void end() {
    state = State.ENDED;
    IbvQueuePair mine = queuePair;
    if (mine != null && mine.isOpen()) {
      mine.modify(QueuePairAttributes.to(QueuePairState.ERROR));
    }
  }

  @Override
  public void reject(MemorySegment privateData) {
    Check.argument(state == State.REQUESTED && !closed, "only a request can be rejected, and once");
    int length = IbvConnections.privateData(device, privateData);
    end();
    try (Arena arena = Arena.ofConfined()) {
      long data = length == 0 ? 0 : arena.allocate(length, 8).address();
      if (length > 0) {
        Memory.copy(privateData, data);
      }
      cm.reject.call(id, data, length);
    }
  }

  @Override
  public void disconnect() {
    if (closed || (state != State.ESTABLISHED && state != State.ACCEPTED)) {
      return;
    }
    leave();
    IbvQueuePair mine = queuePair;
    if (mine != null && mine.isOpen()) {
      mine.modify(QueuePairAttributes.to(QueuePairState.ERROR));
    }
  }

  /** The queue pair can do no more, and so the connection ends. */
  void queuePairEnded(Status why, String text) {
    if (!closed && !leaving && (state == State.ESTABLISHED || state == State.ACCEPTED)) {
      reason = why;
      reasonText = text;
      leave();
    }
  }

  /** Tells the other end; the device says when that is done. */
  private void leave() {
    if (leaving) {
      return;
    }
    leaving = true;
    long told = type == QueuePairType.UD ? -1 : cm.disconnect.call(id);
    if (told < 0) {
      context.loop().defer(() -> {
        if (!closed && state != State.ENDED) {
          ended(reason, reasonText);
        }
      });
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (state == State.REQUESTED) {
      reject(MemorySegment.NULL);
    } else if (state == State.ESTABLISHED || state == State.ACCEPTED) {
      leave();
      end();
    }
    state = State.ENDED;
    closed = true;
    connections.destroy(id);
    if (destination != null) {
      destination.close();
    }
    context.children().closed(KIND);
  }
}
