package io.remora.base;

import java.net.InetSocketAddress;

/** A listening stream socket of one loop. */
public interface StreamListener extends AutoCloseable {
  /** Takes new connections, on the listener's loop. */
  interface Acceptor {
    /**
     * A connection has come in. Attach it here or on another loop, or close it; a connection that is neither is a leak.
     */
    void onAccept(Accepted connection);
  }

  /** A connection that belongs to no loop yet. Used once, by one thread at a time. */
  interface Accepted {
    /** Where it comes from. */
    InetSocketAddress remoteAddress();

    /** Makes it a socket of {@code loop}. Call it on that loop's thread. {@code onConnected} is not called. */
    StreamSocket attach(Loop loop, StreamSocket.Handler handler);

    /** Refuses it. */
    void close();
  }

  /** Where it listens, with the port that was picked. */
  InetSocketAddress localAddress();

  /** Stops listening; connections that were accepted live on. */
  @Override
  void close();
}
