package io.remora.verbs.iwarp;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.verbs.CmId;
import io.remora.verbs.CmRequest;
import io.remora.verbs.Context;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** An MPA Request whose connection is of no loop: attached to one, refused, or given up, whichever comes first. */
final class IwarpRequest implements CmRequest {
  private final IwarpContext listener;
  private final InetSocketAddress remote;
  private final StreamListener.Accepted connection;
  private final Mpa request;
  private final AtomicBoolean taken = new AtomicBoolean();
  /** For the listener's context. */
  long deadlineNs;

  IwarpRequest(IwarpContext listener, InetSocketAddress remote, StreamListener.Accepted connection, Mpa request) {
    this.listener = listener;
    this.remote = remote;
    this.connection = connection;
    this.request = request;
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return remote;
  }

  @Override
  public MemorySegment privateData() {
    return MemorySegment.ofArray(request.privateData()).asReadOnly();
  }

  @Override
  public int responderResources() {
    Mpa.Enhanced enhanced = request.enhanced();
    return enhanced == null ? IwarpContext.MAX_READS : enhanced.wanted();
  }

  @Override
  public int initiatorDepth() {
    Mpa.Enhanced enhanced = request.enhanced();
    return enhanced == null ? IwarpContext.MAX_READS : enhanced.served();
  }

  @Override
  public CmId attach(Context context, CmId.Handler handler) {
    Check.argument(context instanceof IwarpContext, "the request is for a context of provider %s", IwarpProvider.NAME);
    take();
    return IwarpCmId.requested((IwarpContext) context, remote, connection, request, handler);
  }

  @Override
  public void reject(MemorySegment privateData) {
    byte[] data = checked(privateData);
    take();
    if (listener.loop().inLoop()) {
      refuse(data);
    } else {
      listener.loop().execute(() -> refuse(data));
    }
  }

  private void refuse(byte[] data) {
    if (listener.gone()) {
      connection.close();
      return;
    }
    // A socket without an owner but its farewell.
    Farewell[] farewell = new Farewell[1];
    StreamSocket socket = connection.attach(listener.loop(), new StreamSocket.Handler() {
      @Override
      public void onReadable() {
        farewell[0].onReadable();
      }

      @Override
      public void onWritable() {
        farewell[0].onWritable();
      }

      @Override
      public void onClosed(Status reason) {
        farewell[0].drop();
      }
    });
    farewell[0] = Farewell.saying(refusal(request, data), listener, socket);
  }

  /** Nobody has wanted it. */
  void expire() {
    if (taken.compareAndSet(false, true)) {
      connection.close();
    }
  }

  private void take() {
    if (!taken.compareAndSet(false, true)) {
      throw new RemoraException(Status.INVALID,
          "the connection request from " + remote + " was attached or refused already, or has waited too long");
    }
  }

  static byte[] checked(MemorySegment privateData) {
    Check.argument(privateData.byteSize() <= Mpa.MAX_PRIVATE_BYTES, "private data of %d bytes: at most %d",
        privateData.byteSize(),
        Mpa.MAX_PRIVATE_BYTES);
    return privateData.toArray(ValueLayout.JAVA_BYTE);
  }

  /** The Reply that refuses {@code request}, null: one that could not be read. */
  static byte[] refusal(@Nullable Mpa request, byte[] data) {
    boolean enhanced = request != null && request.enhanced() != null;
    int bits = Mpa.REJECT | (enhanced ? Mpa.ENHANCED : 0);
    return new Mpa(true, bits, request == null ? 2 : request.revision(), enhanced ? new Mpa.Enhanced(0, 0) : null, data)
        .encode();
  }
}
