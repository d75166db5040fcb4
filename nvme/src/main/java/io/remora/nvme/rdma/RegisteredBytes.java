package io.remora.nvme.rdma;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.net.InetAddress;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much memory is registered with devices, and how much of it single peers have for their connections: bounds on both. One for a process, or for each
 * part of it that is to have bounds of its own. From any thread.
 */
public final class RegisteredBytes {
  /** The default bound of a process, in bytes. */
  public static final long DEFAULT_LIMIT_BYTES = 4L << 30;
  /** The default bound of one peer, in bytes. */
  public static final long DEFAULT_PEER_LIMIT_BYTES = 256L << 20;

  private final long limitBytes;
  private final long peerLimitBytes;
  private final AtomicLong used = new AtomicLong();
  private final ConcurrentHashMap<InetAddress, Long> usedByPeer = new ConcurrentHashMap<>();

  /**
   * Bounds.
   *
   * @param limitBytes the most that is registered at once, in bytes
   * @param peerLimitBytes the most that the connections with one peer's address have for themselves, in bytes: receives, capsules, and copies of data
   */
  public RegisteredBytes(long limitBytes, long peerLimitBytes) {
    Check.argument(limitBytes > 0 && peerLimitBytes > 0, "limits of %d and %d bytes: both must be positive", limitBytes,
        peerLimitBytes);
    this.limitBytes = limitBytes;
    this.peerLimitBytes = peerLimitBytes;
  }

  /** {@link #DEFAULT_LIMIT_BYTES} and {@link #DEFAULT_PEER_LIMIT_BYTES}. */
  public static RegisteredBytes unlessSaidOtherwise() {
    return new RegisteredBytes(DEFAULT_LIMIT_BYTES, DEFAULT_PEER_LIMIT_BYTES);
  }

  /** What is registered now, in bytes. */
  public long usedBytes() {
    return used.get();
  }

  /** What connections with {@code peer} have now, in bytes. */
  public long usedBytes(InetAddress peer) {
    return usedByPeer.getOrDefault(peer, 0L);
  }

  /**
   * Another {@code bytes} are to be registered.
   *
   * @throws RemoraException {@link Status#NO_RESOURCES}
   */
  void add(long bytes) {
    long now = used.addAndGet(bytes);
    if (now > limitBytes) {
      used.addAndGet(-bytes);
      throw new RemoraException(Status.NO_RESOURCES,
          "cannot register " + bytes + " bytes of memory with an RDMA device: " + (now - bytes)
              + " are registered, the limit is " + limitBytes);
    }
  }

  /** They are not registered any more. */
  void remove(long bytes) {
    long now = used.addAndGet(-bytes);
    assert now >= 0;
  }

  /**
   * A connection with {@code peer} is to have {@code bytes}.
   *
   * @throws RemoraException {@link Status#NO_RESOURCES}
   */
  void add(InetAddress peer, long bytes) {
    usedByPeer.compute(peer, (_, before) -> {
      long now = (before == null ? 0 : before) + bytes;
      if (now > peerLimitBytes) {
        throw new RemoraException(Status.NO_RESOURCES,
            "cannot give " + bytes + " bytes of registered memory to a connection with "
                + peer.getHostAddress() + ": it has " + (now - bytes) + ", the limit for a peer is " + peerLimitBytes);
      }
      return now;
    });
  }

  /** The connection has them no more. */
  void remove(InetAddress peer, long bytes) {
    usedByPeer.computeIfPresent(peer, (_, before) -> before == bytes ? null : before - bytes);
  }
}
