package io.remora.nvme.target;

import io.remora.base.RemoraException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;

/** A place where a target listens. From any thread. */
public final class TargetListener implements AutoCloseable {
  private final InetSocketAddress localAddress;
  private final Port port;
  private final Runnable close;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();

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

  /** Done, on some thread, when it takes no more connections; fails with {@link RemoraException} when that is its transport's doing. */
  public CompletableFuture<Void> ended() {
    return ended.copy();
  }

  /** For transports: it can take no more connections. Nothing happens when it has ended already. */
  public void fail(RemoraException reason) {
    close.run();
    ended.completeExceptionally(reason);
  }

  /** Takes no more connections; those that stand go on. Idempotent. */
  @Override
  public void close() {
    close.run();
    ended.complete(null);
  }
}
