package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.net.InetSocketAddress;

/** A listening socket of a {@link SimLoop}. */
final class SimListener implements StreamListener {
  static final class Connection implements Accepted {
    private final TcpEnd end;
    private boolean used;

    Connection(TcpEnd end) {
      this.end = end;
    }

    @Override
    public InetSocketAddress remoteAddress() {
      return end.remote();
    }

    @Override
    public StreamSocket attach(Loop owner, StreamSocket.Handler handler) {
      Check.that(!used, "the connection from %s was attached or closed already", end.remote());
      used = true;
      SimLoop simLoop = (SimLoop) owner;
      simLoop.checkInLoop();
      SimStream socket = new SimStream(simLoop, end, handler);
      socket.catchUp();
      return socket;
    }

    @Override
    public void close() {
      if (!used) {
        used = true;
        end.close();
      }
    }
  }

  private final SimLoop loop;
  private final InetSocketAddress address;
  private final Acceptor acceptor;
  private boolean closed;

  SimListener(SimLoop loop, InetSocketAddress address, Acceptor acceptor) {
    this.loop = loop;
    this.address = address;
    this.acceptor = acceptor;
  }

  @Override
  public InetSocketAddress localAddress() {
    return address;
  }

  @Override
  public void close() {
    loop.checkInLoop();
    closed = true;
    loop.machine().sockets().remove(this);
  }

  /** Somebody calls. */
  void called(TcpEnd caller) {
    TcpEnd end = TcpEnd.accept(caller, loop.machine());
    loop.enqueue(() -> {
      if (closed) {
        end.reset();
      } else {
        acceptor.onAccept(new Connection(end));
      }
    });
  }
}
