package io.remora.verbs;

import java.net.InetSocketAddress;

/** The way to a datagram destination ({@code ibv_ah}). Belongs to its protection domain. */
public interface AddressHandle extends AutoCloseable {
  /** Where it leads. */
  InetSocketAddress destination();

  /** Frees it; no request in flight may name it. Idempotent. */
  @Override
  void close();
}
