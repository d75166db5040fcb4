package io.remora.nvme.target;

import java.net.InetSocketAddress;

/** A place where a target listens. From any thread. */
public final class TargetListener implements AutoCloseable {
  private final InetSocketAddress localAddress;
  private final Port port;
  private final Runnable close;

  /** For transports: one that listens already; {@code close} may be called from any thread, more than once. */
  public TargetListener(InetSocketAddress localAddress, Port port, Runnable close) {
    this.localAddress = localAddress;
    this.port = port;
    this.close = close;
  }

  /** Where it listens, with the port number that was picked. */
  public InetSocketAddress localAddress() {
    return localAddress;
  }

  /** What the discovery log says about it. */
  public Port port() {
    return port;
  }

  /** Takes no more connections; those that stand go on. */
  @Override
  public void close() {
    close.run();
  }
}
