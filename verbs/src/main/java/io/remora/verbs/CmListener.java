package io.remora.verbs;

import java.net.InetSocketAddress;

/** A listening end of a connection manager. Belongs to its context's loop. */
public interface CmListener extends AutoCloseable {
  /** Takes connection requests, on the listener's loop. */
  interface Handler {
    /** Somebody wants to connect. Attach it here or on another loop, or reject it; a request that is neither is a leak, bounded by the device's time-out. */
    void onConnectRequest(CmRequest request);
  }

  /** Where it listens, with the port that was picked. */
  InetSocketAddress localAddress();

  /** Stops listening; connections live on. Idempotent. */
  @Override
  void close();
}
