package io.remora.base;

/** A listening end for processes of this machine and this user. Belongs to one loop. */
public interface LocalListener extends AutoCloseable {
  /** Takes connections, on the listener's loop. */
  interface Acceptor {
    /** Somebody has connected: attach it or close it. */
    void onAccept(Accepted connection);
  }

  /** A connection that belongs to no loop. Used once, by one thread at a time. */
  interface Accepted {
    /** The number of the other process. */
    int peerProcess();

    /** Makes it a socket of {@code loop}; on that loop's thread. {@code onConnected} is not called. */
    LocalSocket attach(Loop loop, LocalSocket.Handler handler);

    /** Ends it. Does nothing after {@link #attach}. */
    void close();
  }

  /** Stops listening; connections that were accepted live on. Idempotent. */
  @Override
  void close();
}
