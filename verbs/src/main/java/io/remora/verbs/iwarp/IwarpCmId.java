package io.remora.verbs.iwarp;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.Crc32c;
import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import io.remora.verbs.CmId;
import io.remora.verbs.Context;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.soft.SoftProtectionDomain;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection: the TCP socket, the handshake of MPA on it, and its end. In between its queue pair has the socket's events. Belongs to its context's loop.
 *
 * <p>The queue pair takes frames before the Reply is written, because the peer's first frame may follow at once; the accepting end sends no frame before that first one has come.
 */
final class IwarpCmId implements CmId, StreamSocket.Handler {
  /** For a TCP connection and the Reply, as long as siw waits; and for the first frame that the peer has promised. */
  private static final long CONNECT_NS = 10_000_000_000L;
  /** The number of a refusal by the application, as InfiniBand's; MPA has none. */
  private static final int CONSUMER_REJECT = 28;

  private enum State {
    RESOLVING, IDLE,
    /** TCP. */
    CONNECTING,
    /** The Request is out. */
    REPLY_DUE,
    /** The Reply is here, of another kind of peer: see {@link IwarpProvider}. */
    PAUSING,
    /** A Request has come. */
    REQUESTED,
    /** Frames. */
    OPEN,
    /** The user's connection has ended, the socket has not. */
    FAREWELL, ENDED
  }

  private final IwarpContext context;
  private final Handler handler;
  private final InetSocketAddress remote;
  private final Negotiation negotiation;
  private final Timer deadline;
  private final Sgl handshake = new Sgl();
  private final MpaReader replyReader = new MpaReader(true);
  private State state;
  private @Nullable StreamSocket socket;
  private @Nullable IwarpQueuePair queuePair;
  private @Nullable MemorySegment ring;
  private @Nullable MemorySegment staging;
  private @Nullable Farewell farewell;
  private boolean established;
  private boolean closed;

  private IwarpCmId(IwarpContext context, InetSocketAddress remote, Handler handler, @Nullable Mpa request) {
    this.context = context;
    this.remote = remote;
    this.handler = handler;
    this.state = request == null ? State.RESOLVING : State.REQUESTED;
    this.negotiation = new Negotiation(context.config(), request);
    this.deadline = context.loop().timer(this::onDeadline);
    context.opened("connection id");
  }

  /** The connecting end. */
  static IwarpCmId resolving(IwarpContext context, InetSocketAddress address, Handler handler) {
    IwarpCmId id = new IwarpCmId(context, address, handler, null);
    context.loop().defer(() -> {
      if (id.state == State.RESOLVING) {
        id.state = State.IDLE;
        handler.onResolved();
      }
    });
    return id;
  }

  /** The accepting end, on its loop. */
  static IwarpCmId requested(IwarpContext context, InetSocketAddress address, StreamListener.Accepted connection,
      Mpa request, Handler handler) {
    IwarpCmId id = new IwarpCmId(context, address, handler, request);
    id.socket = connection.attach(context.loop(), id);
    return id;
  }

  @Override
  public Context context() {
    return context;
  }

  @Override
  public InetSocketAddress localAddress() {
    StreamSocket present = socket;
    return present == null ? new InetSocketAddress(0) : present.localAddress();
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return remote;
  }

  @Override
  public QueuePair createQueuePair(ProtectionDomain domain, QueuePairConfig config) {
    Check.argument((state == State.IDLE || state == State.REQUESTED) && queuePair == null && !closed,
        "a queue pair is made once, after onResolved or for a request");
    Check.argument(config.type() == QueuePairType.RC && domain.context() == context,
        "the queue pair must be of type RC and of this context");
    context.check(config);
    IwarpQueuePair made = new IwarpQueuePair(context, this, (SoftProtectionDomain) domain, config);
    queuePair = made;
    return made;
  }

  // The handshake.

  @Override
  public void connect(Parameters wanted) {
    ready(State.IDLE, wanted);
    state = State.CONNECTING;
    deadline.arm(CONNECT_NS);
    try {
      socket = context.loop().net().connect(remote, this);
    } catch (RemoraException e) {
      context.loop().defer(() -> failed(e.status(), e.getMessage()));
    }
  }

  private void ready(State expected, Parameters wanted) {
    IwarpQueuePair mine = queuePair;
    Check.argument(state == expected && !closed && mine != null && !mine.over(), "first the queue pair, and once");
    IwarpRequest.checked(wanted.privateData());
    Check.argument(Math.max(wanted.initiatorDepth(), wanted.responderResources()) <= IwarpContext.MAX_READS
        && Math.min(wanted.initiatorDepth(), wanted.responderResources()) >= 0, "reads at once: 0 to %d",
        IwarpContext.MAX_READS);
    negotiation.want(wanted);
  }

  @Override
  public void onConnected() {
    if (state == State.CONNECTING) {
      state = State.REPLY_DUE;
      say(negotiation.request());
    }
  }

  /** Sends a frame of the handshake. */
  private void say(Mpa frame) {
    byte[] bytes = frame.encode();
    MemorySegment memory = ring();
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, memory, 0, bytes.length);
    handshake.add(memory, 0, bytes.length);
    sayOn();
  }

  private void sayOn() {
    StreamSocket present = socket;
    if (present != null && handshake.totalBytes() > 0) {
      long taken = present.write(handshake);
      if (taken > 0) {
        handshake.consume(taken);
      }
    }
  }

  private MemorySegment ring() {
    MemorySegment present = ring;
    if (present == null) {
      present = context.takeRing();
      ring = present;
    }
    return present;
  }

  private void readReply(StreamSocket present) {
    try {
      Mpa reply = replyReader.read(present, context.staging());
      if (reply != null) {
        onReply(reply);
      } else if (replyReader.closed()) {
        Status reason = present.closeReason();
        failed(reason.isOk() ? Status.DISCONNECTED : reason,
            Addresses.format(remote) + " has ended the connection without an MPA reply");
      }
    } catch (RemoraException e) {
      failed(e.status(), Addresses.format(remote) + ": " + e.getMessage());
    }
  }

  private void onReply(Mpa reply) {
    if (reply.has(Mpa.REJECT)) {
      end();
      if (!closed) {
        handler.onRejected(CONSUMER_REJECT, MemorySegment.ofArray(reply.privateData()).asReadOnly());
      }
      return;
    }
    if (reply.has(Mpa.MARKERS)) {
      failed(Status.UNSUPPORTED, Addresses.format(remote) + " wants MPA markers, which this end does not have");
      return;
    }
    int cause = negotiation.take(reply);
    if (cause != Negotiation.AGREED) {
      refuse(cause);
      return;
    }
    Agreement agreed = negotiation.agreement();
    long pauseNs = context.config().foreignPauseNs();
    if (pauseNs == 0 || (agreed != null && agreed.extended())) {
      open(false);
    } else {
      state = State.PAUSING;
      deadline.arm(pauseNs);
    }
  }

  @Override
  public void accept(Parameters wanted) {
    ready(State.REQUESTED, wanted);
    Mpa reply = negotiation.reply();
    open(true);
    say(reply);
    Mpa.Enhanced extra = reply.enhanced();
    if (extra != null && extra.peerToPeer()) {
      deadline.arm(CONNECT_NS);
    } else {
      onFirstFrame();
    }
  }

  /** Hands the socket to the queue pair. */
  private void open(boolean accepting) {
    StreamSocket present = socket;
    IwarpQueuePair mine = queuePair;
    Agreement agreed = negotiation.agreement();
    if (present == null || mine == null || agreed == null) {
      return;
    }
    deadline.cancel();
    state = State.OPEN;
    staging = agreed.crc() ? context.takeFrameBuffer() : null;
    mine.start(present, agreed, ring(), staging, accepting);
    if (!accepting && state == State.OPEN) {
      established = true;
      handler.onEstablished(negotiation.told(agreed));
      mine.onReadable();
    }
  }

  /** The accepting end: the peer has sent its first frame, or will when it likes. */
  void onFirstFrame() {
    Agreement agreed = negotiation.agreement();
    if (!established && agreed != null) {
      established = true;
      deadline.cancel();
      context.loop().defer(() -> {
        if (!closed) {
          handler.onEstablished(negotiation.told(agreed));
        }
      });
    }
  }

  @Override
  public void reject(MemorySegment privateData) {
    byte[] data = IwarpRequest.checked(privateData);
    StreamSocket present = socket;
    Check.argument(state == State.REQUESTED && !closed && present != null, "only a request can be rejected, and once");
    assert present != null;
    part(present, negotiation.refusal(data));
  }

  /** Ends the handshake with a Terminate. */
  private void refuse(int cause) {
    StreamSocket present = socket;
    if (present != null) {
      MemorySegment frame = MemorySegment.ofArray(new byte[Rdmap.TERMINATE_MAX_BYTES]);
      int bytes = Fpdu.terminate(frame, 0, cause, frame, 0, 0);
      part(present, frame.asSlice(0, Fpdu.frameBytes(bytes - Fpdu.LENGTH_BYTES)).toArray(ValueLayout.JAVA_BYTE));
      if (!closed) {
        handler.onFailed(Status.PROTOCOL_ERROR, Addresses.format(remote) + ": " + Terminate.text(cause));
      }
    }
  }

  /** Says {@code bytes} and ends. */
  private void part(StreamSocket present, byte[] bytes) {
    release();
    state = State.FAREWELL;
    farewell = Farewell.saying(bytes, context, present);
  }

  // Events of the socket.

  @Override
  public void onReadable() {
    StreamSocket present = socket;
    if (present == null) {
      return;
    }
    switch (state) {
      case REPLY_DUE -> readReply(present);
      case REQUESTED -> tooEarly(present);
      case OPEN -> {
        if (queuePair != null) {
          queuePair.onReadable();
        }
      }
      case FAREWELL -> {
        if (farewell != null) {
          farewell.onReadable();
        }
      }
      case RESOLVING, IDLE, CONNECTING, PAUSING, ENDED -> {
      }
    }
  }

  /** Nothing but the end of the stream may come between Request and Reply. */
  private void tooEarly(StreamSocket present) {
    long count = present.read(context.staging(), 0, 1);
    if (count > 0) {
      failed(Status.PROTOCOL_ERROR, Addresses.format(remote) + " has sent something before the MPA reply");
    } else if (count < 0) {
      failed(Status.DISCONNECTED, Addresses.format(remote) + " did not wait for the answer");
    }
  }

  @Override
  public void onWritable() {
    sayOn();
    switch (state) {
      case OPEN -> {
        if (queuePair != null) {
          queuePair.onWritable();
        }
      }
      case FAREWELL -> {
        if (farewell != null) {
          farewell.onWritable();
        }
      }
      case RESOLVING, IDLE, CONNECTING, REPLY_DUE, PAUSING, REQUESTED, ENDED -> {
      }
    }
  }

  @Override
  public void onClosed(Status reason) {
    switch (state) {
      case CONNECTING, REPLY_DUE, PAUSING, REQUESTED -> failed(reason, Addresses.format(remote) + ": " + reason.text());
      case OPEN -> {
        if (queuePair != null) {
          queuePair.end(reason, "the connection broke: " + reason.text());
        }
      }
      case FAREWELL -> {
        if (farewell != null) {
          farewell.drop();
        }
      }
      case RESOLVING, IDLE, ENDED -> {
      }
    }
  }

  private void onDeadline() {
    switch (state) {
      case CONNECTING, REPLY_DUE -> failed(Status.TIMED_OUT, Addresses.format(remote) + " does not answer");
      case PAUSING -> open(false);
      case OPEN -> {
        if (queuePair != null) {
          queuePair.end(Status.TIMED_OUT, "the other end has not begun");
        }
      }
      case RESOLVING, IDLE, REQUESTED, FAREWELL, ENDED -> {
      }
    }
  }

  // The end.

  private void failed(Status reason, String text) {
    if (state != State.ENDED) {
      end();
      if (!closed) {
        handler.onFailed(reason, text);
      }
    }
  }

  private void end() {
    release();
    state = State.ENDED;
    if (socket != null) {
      socket.close();
    }
  }

  private void release() {
    deadline.cancel();
    handshake.clear();
    if (ring != null) {
      context.giveRing(ring);
      ring = null;
    }
    if (staging != null) {
      context.giveFrameBuffer(staging);
      staging = null;
    }
  }

  /** The queue pair has gone to ERROR, or is gone: ends the connection with {@code lastWords}, a Terminate without its trailer, if there are any. */
  void queuePairEnded(Status reason, String text, byte @Nullable [] lastWords, boolean abrupt) {
    switch (state) {
      case OPEN -> finish(reason, text, lastWords, abrupt);
      case CONNECTING, REPLY_DUE, PAUSING -> {
        end();
        context.loop().defer(() -> {
          if (!closed) {
            handler.onFailed(Status.ABORTED, "the queue pair was ended before it was connected");
          }
        });
      }
      case RESOLVING, IDLE, REQUESTED, FAREWELL, ENDED -> {
      }
    }
  }

  private void finish(Status reason, String text, byte @Nullable [] lastWords, boolean abrupt) {
    StreamSocket present = socket;
    IwarpQueuePair mine = queuePair;
    if (present == null || mine == null) {
      return;
    }
    Agreement agreed = negotiation.agreement();
    boolean crc = agreed != null && agreed.crc();
    MemorySegment buffer = context.takeFrameBuffer();
    int length = mine.stop(buffer, abrupt);
    release();
    if (length < 0) {
      state = State.ENDED;
      context.giveFrameBuffer(buffer);
      present.reset();
    } else {
      if (lastWords != null) {
        length += terminate(lastWords, buffer, length, crc);
      }
      state = State.FAREWELL;
      farewell = new Farewell(context, present, buffer, length);
    }
    boolean stood = established;
    context.loop().defer(() -> {
      if (!closed && stood) {
        handler.onDisconnected(reason, text);
      } else if (!closed) {
        handler.onFailed(reason.isOk() ? Status.DISCONNECTED : reason, text);
      }
    });
  }

  /** Writes a whole frame; returns its length. Terminates need no pad. */
  private static int terminate(byte[] frame, MemorySegment to, int at, boolean crc) {
    MemorySegment.copy(MemorySegment.ofArray(frame), 0, to, at, frame.length);
    assert frame.length % 4 == 0;
    to.set(Fpdu.LE32, at + frame.length, crc ? new Crc32c().of(to, at, frame.length) : 0);
    return frame.length + Fpdu.CRC_BYTES;
  }

  @Override
  public void disconnect() {
    if (state == State.OPEN && queuePair != null) {
      queuePair.end(Status.OK, "disconnected by this end");
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    switch (state) {
      case REQUESTED -> reject(MemorySegment.NULL);
      case OPEN -> disconnect();
      case RESOLVING, IDLE, CONNECTING, REPLY_DUE, PAUSING -> end();
      case FAREWELL, ENDED -> {
      }
    }
    closed = true;
    context.closed("connection id");
  }
}
