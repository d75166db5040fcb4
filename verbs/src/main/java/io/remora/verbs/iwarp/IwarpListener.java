package io.remora.verbs.iwarp;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import io.remora.verbs.CmListener;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Takes TCP connections, and hands on those that say what they want in time. Belongs to its context's loop. */
final class IwarpListener implements CmListener {
  /** How long a peer has for its Request, as long as siw gives. */
  private static final long REQUEST_NS = 5_000_000_000L;
  /** Connections that have not said anything yet; more are turned away. */
  private static final int MAX_SILENT = 4096;

  private final IwarpContext context;
  private final Handler handler;
  private final StreamListener listener;
  private int silent;
  private boolean closed;

  IwarpListener(IwarpContext context, InetSocketAddress address, Handler handler) {
    this.context = context;
    this.handler = handler;
    this.listener = context.loop().net().listen(address, this::onAccept);
    context.opened("listener");
  }

  IwarpContext context() {
    return context;
  }

  @Override
  public InetSocketAddress localAddress() {
    return listener.localAddress();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      listener.close();
      context.closed("listener");
    }
  }

  private void onAccept(StreamListener.Accepted connection) {
    if (silent >= MAX_SILENT) {
      connection.close();
    } else {
      silent++;
      new Incoming(connection);
    }
  }

  /** A connection whose Request is still to come, or that is being refused. */
  private final class Incoming implements StreamSocket.Handler {
    private final StreamSocket socket;
    private final MpaReader reader = new MpaReader(false);
    private final Timer limit;
    private @Nullable Farewell farewell;
    private boolean over;

    Incoming(StreamListener.Accepted connection) {
      this.limit = context.loop().timer(this::drop);
      limit.arm(REQUEST_NS);
      this.socket = connection.attach(context.loop(), this);
    }

    @Override
    public void onReadable() {
      Farewell last = farewell;
      if (last != null) {
        last.onReadable();
        return;
      }
      if (closed) {
        drop();
        return;
      }
      try {
        Mpa request = reader.read(socket, context.staging());
        if (request != null) {
          arrived(request);
        } else if (reader.closed()) {
          drop();
        }
      } catch (RemoraException e) {
        if (reader.recognized()) {
          refuse(IwarpRequest.refusal(null, new byte[0]));
        } else {
          drop();
        }
      }
    }

    private void arrived(Mpa request) {
      if (request.has(Mpa.MARKERS)) {
        refuse(IwarpRequest.refusal(request, new byte[0]));
        return;
      }
      leave();
      IwarpRequest made = new IwarpRequest(context, socket.remoteAddress(), socket.detach(), request);
      context.waiting(made);
      handler.onConnectRequest(made);
    }

    private void refuse(byte[] reply) {
      leave();
      farewell = Farewell.saying(reply, context, socket);
    }

    @Override
    public void onWritable() {
      Farewell last = farewell;
      if (last != null) {
        last.onWritable();
      }
    }

    @Override
    public void onClosed(Status reason) {
      Farewell last = farewell;
      if (last != null) {
        last.drop();
      } else {
        drop();
      }
    }

    private void drop() {
      leave();
      socket.close();
    }

    private void leave() {
      if (!over) {
        over = true;
        silent--;
        limit.cancel();
      }
    }
  }
}
