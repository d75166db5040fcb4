package io.remora.engine;

import io.remora.base.Addresses;
import io.remora.base.Backoff;
import io.remora.base.Loop;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetListener;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * RDMA at one of a node's portals. What does not listen, at first or any more, is tried again for as long as the portal stands; meanwhile hosts
 * connect by TCP, and the status says why. Belongs to the node's control loop.
 */
final class RdmaPort {
  private static final Logger LOG = LoggerFactory.getLogger(RdmaPort.class);
  private static final long RETRY_NS = 1_000_000_000L;
  private static final long RETRY_MAX_NS = 60_000_000_000L;

  private final Loop loop;
  private final Rdma rdma;
  private final Target target;
  private final InetSocketAddress asked;
  private final InetSocketAddress tcp;
  private final Backoff backoff;
  private Rdma.Outcome outcome = Rdma.Outcome.NONE;
  /** Whose device it was last; kept while that has none. */
  private @Nullable String provider;
  private long sinceMs;
  private long upSinceNs;
  private boolean closed;

  private RdmaPort(Loop loop, Rdma rdma, Target target, InetSocketAddress asked, InetSocketAddress tcp) {
    this.loop = loop;
    this.rdma = rdma;
    this.target = target;
    this.asked = asked;
    this.tcp = tcp;
    this.backoff = new Backoff(loop, RETRY_NS, RETRY_MAX_NS, this::tryAgain);
  }

  /**
   * Has {@code target} listen for RDMA, too.
   *
   * @param asked where it was to listen for TCP
   * @param tcp where it does, with the port that was picked
   * @return done on the control loop; fails when RDMA is required and is not to be had
   */
  static CompletableFuture<RdmaPort> open(Loop loop, Rdma rdma, Target target, InetSocketAddress asked,
      InetSocketAddress tcp) {
    RdmaPort port = new RdmaPort(loop, rdma, target, asked, tcp);
    return rdma.listen(target, asked, tcp).thenApply(first -> {
      port.take(first);
      return port;
    });
  }

  /** Where hosts connect; null: nowhere. */
  @Nullable
  RdmaAddress address() {
    return outcome.address();
  }

  /** Why it is less than what was asked for; null when it is not. */
  @Nullable
  String warning() {
    String warning = outcome.warning();
    return warning == null
        ? null
        : warning + " (since " + Instant.ofEpochMilli(sinceMs) + "; it is tried again by itself)";
  }

  /** What was not taken, and why. */
  List<String> passedOver() {
    return outcome.passedOver();
  }

  /** Takes no more connections, and is not tried again. */
  void close() {
    closed = true;
    backoff.cancel();
    TargetListener listener = outcome.listener();
    if (listener != null) {
      listener.close();
    }
  }

  private void tryAgain() {
    rdma.listenAgain(target, asked, tcp, provider).thenAccept(this::take);
  }

  private void take(Rdma.Outcome next) {
    TargetListener listener = next.listener();
    if (closed) {
      if (listener != null) {
        listener.close();
      }
      return;
    }
    String before = outcome.warning();
    if (before == null) {
      sinceMs = loop.clock().wallMillis();
    }
    outcome = next;
    provider = next.provider() != null ? next.provider() : provider;
    String warning = next.warning();
    if (listener != null) {
      upSinceNs = loop.clock().nanoTime();
      listener.ended().exceptionally(failure -> {
        loop.execute(() -> failed(next, failure));
        return null;
      });
      if (before != null) {
        LOG.info("RDMA is back: it listens at {}", Addresses.format(listener.localAddress()));
      }
    } else if (warning != null) {
      if (!warning.equals(before)) {
        LOG.warn("{}; it is tried again by itself", warning);
      }
      backoff.next();
    }
  }

  private void failed(Rdma.Outcome ended, Throwable failure) {
    if (closed || ended != outcome) {
      return;
    }
    // A device that does not stay is not tried as if nothing had happened.
    if (loop.clock().nanoTime() - upSinceNs >= RETRY_MAX_NS) {
      backoff.reset();
    }
    take(rdma.ended(ended, Causes.remora(failure)));
  }
}
