package io.remora.verbs.shm;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.Local;
import io.remora.base.LocalSocket;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.CmId;
import io.remora.verbs.Context;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.soft.SoftProtectionDomain;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection: its socket from the request on, which is open exactly as long as the connection may stand. Belongs to its context's loop.
 *
 * <p>The handshake: request → accept or reject; accept → ready.
 */
final class ShmCmId implements CmId, LocalSocket.Handler {
  /** The number of a refusal by the application, as InfiniBand's. */
  private static final int CONSUMER_REJECT = 28;
  private static final long CONNECT_NS = 30_000_000_000L;
  private static final long RETRY_NS = 1_000_000;
  private static final int MAX_PER_EVENT = 256;
  private static final int[] NONE = {};

  private enum State {
    RESOLVING, IDLE, CONNECTING, REQUESTED, ACCEPTED, ESTABLISHED, ENDED
  }

  private final ShmContext context;
  private final QueuePairType type;
  private final Handler handler;
  private final InetSocketAddress local;
  private final InetSocketAddress remote;
  private final @Nullable ShmCmRequest request;
  private final LinkMemory memory;
  private final Timer timeout;
  private final Timer retry;
  private State state;
  private boolean closed;
  private boolean anyAddress;
  private @Nullable ShmQueuePair queuePair;
  private @Nullable ShmProtectionDomain domain;
  private @Nullable LocalSocket socket;
  private Parameters asked = Parameters.DEFAULT;

  private ShmCmId(ShmContext context, QueuePairType type, InetSocketAddress local, InetSocketAddress remote,
      Handler handler,
      @Nullable ShmCmRequest request) {
    this.context = context;
    this.type = type;
    this.handler = handler;
    this.local = local;
    this.remote = remote;
    this.request = request;
    this.state = request == null ? State.RESOLVING : State.REQUESTED;
    this.memory = new LinkMemory(context);
    this.timeout = context.loop().timer(() -> failed(Status.TIMED_OUT, Addresses.format(remote) + " does not answer"));
    this.retry = context.loop().timer(this::open);
    context.opened("connection id");
  }

  static ShmCmId resolving(ShmContext context, InetSocketAddress address, QueuePairType type, Handler handler) {
    ShmCmId id = new ShmCmId(context, type, new InetSocketAddress(address.getAddress(), 0), address, handler, null);
    context.loop().defer(id::resolve);
    return id;
  }

  static ShmCmId requested(ShmContext context, ShmCmRequest request, Handler handler) {
    ShmCmId id = new ShmCmId(context, request.hello().type(), request.localAddress(), request.remoteAddress(), handler,
        request);
    id.socket = request.socket(context, id);
    return id;
  }

  private void resolve() {
    if (state != State.RESOLVING || closed) {
      return;
    }
    try {
      ((ShmConnectionManager) context.connectionManager()).requireLocal(remote);
    } catch (RemoraException e) {
      state = State.ENDED;
      handler.onFailed(e.status(), String.valueOf(e.getMessage()));
      return;
    }
    state = State.IDLE;
    handler.onResolved();
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
  public QueuePair createQueuePair(ProtectionDomain of, QueuePairConfig config) {
    Check.argument((state == State.IDLE || state == State.REQUESTED) && queuePair == null && !closed,
        "a queue pair is made once, after onResolved or for a request");
    Check.argument(config.type() == type && of.context() == context,
        "the queue pair must be of type %s and of this context", type);
    context.check(config);
    ShmQueuePair made = context.makeQueuePair((SoftProtectionDomain) of, config);
    made.begin(this);
    queuePair = made;
    domain = (ShmProtectionDomain) of;
    return made;
  }

  private ShmQueuePair ready(State expected, Parameters parameters) {
    ShmQueuePair mine = queuePair;
    Check.argument(state == expected && !closed && mine != null, "first the queue pair, and once");
    Check.argument(parameters.privateData().byteSize() <= ShmContext.MAX_PRIVATE_DATA_BYTES,
        "private data of %d bytes: at most %d", parameters.privateData().byteSize(), ShmContext.MAX_PRIVATE_DATA_BYTES);
    Check.argument(Math.max(parameters.initiatorDepth(), parameters.responderResources()) <= ShmContext.MAX_READS
        && Math.min(parameters.initiatorDepth(), parameters.responderResources()) >= 0, "reads at once: 0 to %d",
        ShmContext.MAX_READS);
    assert mine != null;
    return mine;
  }

  // The connecting end.

  @Override
  public void connect(Parameters parameters) {
    ready(State.IDLE, parameters);
    // Kept past this call, so copied.
    asked = parameters.with(Hello.copy(parameters.privateData()));
    if (type != QueuePairType.UD) {
      memory.allocate();
    }
    state = State.CONNECTING;
    timeout.arm(CONNECT_NS);
    open();
  }

  private void open() {
    String name = anyAddress
        ? ShmNames.anyListener(context.local(), type, remote.getPort())
        : ShmNames.listener(context.local(), type, remote);
    socket = context.local().connect(name, this);
  }

  @Override
  public void onConnected() {
    ShmQueuePair mine = queuePair;
    if (mine == null || mine.isGone()) {
      failed(Status.ABORTED, "the queue pair was closed");
      return;
    }
    Local.SharedMemory shared = type == QueuePairType.UD ? null : memory.shared();
    send(hello(Hello.REQUEST, mine, asked),
        shared == null ? NONE : shown(shared.descriptor()));
  }

  @Override
  public void onClosed(Status reason) {
    LocalSocket old = socket;
    if (old != null) {
      old.close();
    }
    if (state != State.CONNECTING) {
      ended();
    } else if (reason == Status.NOT_FOUND && !anyAddress) {
      anyAddress = true;
      open();
    } else if (reason == Status.NO_RESOURCES) {
      retry.arm(RETRY_NS);
    } else {
      failed(reason, reason == Status.NOT_FOUND
          ? "no process of this user listens at " + Addresses.format(remote) + " by provider shm"
          : Addresses.format(remote) + ": " + reason.text());
    }
  }

  private void accepted(Hello hello, LocalSocket from) {
    ShmQueuePair mine = queuePair;
    if (state != State.CONNECTING || mine == null || mine.isGone()) {
      failed(Status.ABORTED, "the queue pair was closed");
      return;
    }
    Descriptors shown = new Descriptors(context.local(), from);
    int reads = Math.min(asked.initiatorDepth(), hello.responderResources());
    int serves = Math.min(asked.responderResources(), hello.initiatorDepth());
    if (!link(mine, shown, hello.queuePair(), reads)) {
      return;
    }
    timeout.cancel();
    state = State.ESTABLISHED;
    if (send(hello(Hello.READY, mine, Parameters.DEFAULT), NONE)) {
      handler.onEstablished(established(hello.privateData(), serves, reads, hello.queuePair()));
    }
  }

  // The accepting end.

  @Override
  public void accept(Parameters parameters) {
    ShmQueuePair mine = ready(State.REQUESTED, parameters);
    ShmCmRequest from = request;
    assert from != null;
    int reads = Math.min(parameters.initiatorDepth(), from.initiatorDepth());
    int serves = Math.min(parameters.responderResources(), from.responderResources());
    asked = new Parameters(MemorySegment.NULL, serves, reads);
    if (type != QueuePairType.UD && !mapControl(from)) {
      return;
    }
    if (!link(mine, from.descriptors(), from.hello().queuePair(), reads)) {
      return;
    }
    state = State.ACCEPTED;
    timeout.arm(CONNECT_NS);
    send(hello(Hello.ACCEPT, mine, new Parameters(parameters.privateData(), serves, reads)),
        type == QueuePairType.UD ? NONE : shown());
  }

  private boolean mapControl(ShmCmRequest from) {
    try {
      memory.map(from.descriptors().take(Descriptors.CONTROL));
      return true;
    } catch (RemoraException e) {
      failed(e.status(), "the connection's control memory: " + e.getMessage());
      return false;
    }
  }

  private void readyToUse() {
    ShmCmRequest from = request;
    if (state == State.ACCEPTED && from != null) {
      timeout.cancel();
      state = State.ESTABLISHED;
      handler.onEstablished(
          established(MemorySegment.NULL, asked.responderResources(), asked.initiatorDepth(),
              from.hello().queuePair()));
    }
  }

  @Override
  public void reject(MemorySegment privateData) {
    Check.argument(state == State.REQUESTED && !closed, "only a request can be rejected, and once");
    ShmCmRequest from = request;
    assert from != null;
    MemorySegment data = Hello.copy(privateData);
    state = State.ENDED;
    from.descriptors().close();
    send(new Hello(Hello.REJECT, type, 0, 0, 0, local, data), NONE);
    closeSocket();
  }

  // Both.

  /** Takes what the peer has shown, and connects the queue pair. */
  private boolean link(ShmQueuePair mine, Descriptors shown, int peer, int reads) {
    if (mine instanceof DatagramQueuePair datagrams) {
      shown.close();
      datagrams.connected();
      return true;
    }
    LocalSocket to = socket;
    assert to != null;
    try {
      memory.link((LinkedQueuePair) mine, to, shown, peer, reads, request == null);
      return true;
    } catch (RemoraException e) {
      failed(e.status(), "what the other end has shown: " + e.getMessage());
      return false;
    }
  }

  private Hello hello(int kind, ShmQueuePair mine, Parameters parameters) {
    return new Hello(kind, type, mine.number(), parameters.responderResources(), parameters.initiatorDepth(), local,
        parameters.privateData());
  }

  /** What the other end is shown, in the order of {@link Descriptors}; {@code control} only by the end that has made it. */
  private int[] shown(int... control) {
    ShmProtectionDomain of = domain;
    assert of != null;
    int[] all = Arrays.copyOf(new int[] {context.sleepDescriptor(), of.keys().descriptor(), memory.doorbell()},
        Descriptors.CONTROL + control.length);
    System.arraycopy(control, 0, all, Descriptors.CONTROL, control.length);
    return all;
  }

  private boolean send(Hello hello, int[] descriptors) {
    LocalSocket to = socket;
    int length = hello.write(context.scratch());
    if (to != null && to.send(context.scratch(), 0, length, descriptors) == length) {
      return true;
    }
    ended();
    return false;
  }

  private Established established(MemorySegment data, int serves, int reads, int number) {
    boolean datagram = type == QueuePairType.UD;
    return new Established(data, serves, reads,
        datagram ? new ShmContext.ShmAddressHandle(remote) : null, datagram ? number : 0,
        datagram ? DatagramQueuePair.QUEUE_KEY : 0);
  }

  @Override
  public void onReadable() {
    for (int i = 0; i < MAX_PER_EVENT; i++) {
      LocalSocket from = socket;
      if (from == null) {
        return;
      }
      int length = from.receive(context.scratch(), 0, (int) context.scratch().byteSize());
      if (length == 0) {
        return;
      }
      if (length == LocalSocket.CLOSED) {
        ended();
        return;
      }
      take(from, length);
    }
    context.loop().execute(this::onReadable);
  }

  private void take(LocalSocket from, int length) {
    Hello hello = Hello.read(context.scratch(), length);
    if (hello != null && state == State.CONNECTING && hello.kind() == Hello.ACCEPT && hello.type() == type) {
      accepted(hello, from);
    } else if (hello != null && state == State.CONNECTING && hello.kind() == Hello.REJECT) {
      rejected(hello);
    } else if (hello != null && hello.kind() == Hello.READY) {
      readyToUse();
    } else if (queuePair instanceof LinkedQueuePair linked && linked.link() != null) {
      Link link = linked.link();
      String wrong = link == null ? null : link.take(length);
      if (wrong != null) {
        linked.broken(wrong);
      }
    } else if (state != State.ENDED) {
      String version = Hello.otherVersion(context.scratch(), length, from.peerProcess());
      failed(version == null ? Status.PROTOCOL_ERROR : Status.UNSUPPORTED,
          version == null ? "the other end does not keep to the handshake" : version);
    }
  }

  private void rejected(Hello hello) {
    finish();
    handler.onRejected(CONSUMER_REJECT, hello.privateData());
  }

  /** It could not be made. */
  private void failed(Status reason, String text) {
    if (state == State.CONNECTING || state == State.REQUESTED || state == State.ACCEPTED) {
      boolean accepted = state == State.ACCEPTED;
      finish();
      ShmQueuePair mine = queuePair;
      if (accepted && mine != null && !mine.isGone()) {
        mine.ended(EndReason.FAILED);
      }
      tell(() -> handler.onFailed(reason, text));
    }
  }

  /** The socket has ended: the other end, or its process. */
  private void ended() {
    if (state == State.ESTABLISHED && type == QueuePairType.UD) {
      // Numbers were exchanged, and the queue pair has to do with others too: it does not end with this one.
      closeSocket();
      return;
    }
    switch (state) {
      case CONNECTING -> failed(Status.DISCONNECTED, Addresses.format(remote) + " has closed the connection");
      case REQUESTED -> failed(Status.DISCONNECTED, "the other end has gone");
      case ACCEPTED, ESTABLISHED -> {
        state = State.ENDED;
        EndReason reason = EndReason.ORDERLY;
        if (queuePair instanceof LinkedQueuePair linked && !linked.isGone()) {
          reason = linked.peerEnded();
        } else if (queuePair != null && !queuePair.isGone()) {
          queuePair.ended(EndReason.ORDERLY);
        }
        Status status = reason == EndReason.ORDERLY ? Status.OK : Status.DISCONNECTED;
        String text = reason.text();
        finish();
        tell(() -> handler.onDisconnected(status, text));
      }
      case RESOLVING, IDLE, ENDED -> {
      }
    }
  }

  @Override
  public void disconnect() {
    end(Status.OK, "disconnected by this end", EndReason.ORDERLY);
  }

  /** The queue pair has failed by itself, and told the other end. */
  void queuePairFailed() {
    end(Status.DISCONNECTED, "the queue pair has failed", EndReason.FAILED);
  }

  private void end(Status reason, String text, EndReason toPeer) {
    if (state != State.ESTABLISHED && state != State.ACCEPTED) {
      return;
    }
    state = State.ENDED;
    ShmQueuePair mine = queuePair;
    if (mine != null && !mine.isGone()) {
      mine.ended(toPeer);
    }
    finish();
    tell(() -> handler.onDisconnected(reason, text));
  }

  private void tell(Runnable what) {
    context.loop().defer(() -> {
      if (!closed) {
        what.run();
      }
    });
  }

  private void finish() {
    state = State.ENDED;
    timeout.cancel();
    retry.cancel();
    closeSocket();
    ShmCmRequest from = request;
    if (from != null) {
      from.descriptors().close();
    }
    memory.close();
  }

  private void closeSocket() {
    LocalSocket old = socket;
    if (old != null) {
      socket = null;
      old.close();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    if (state == State.REQUESTED) {
      reject(MemorySegment.NULL);
    } else {
      end(Status.OK, "closed", EndReason.ORDERLY);
    }
    finish();
    closed = true;
    context.closed("connection id");
  }
}
