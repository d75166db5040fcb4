package io.remora.nvme.host;

import io.remora.base.Backoff;
import io.remora.base.Check;
import io.remora.base.Loop;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * What to connect to, as whom, and with which limits and times. Immutable; each {@code with…} gives a changed copy.
 *
 * @param address of the controller; literal
 * @param subsystemNqn the subsystem to connect to
 * @param hostId who we are, the same after every restart; empty: made up for this connection
 * @param hostNqn our name; empty: made from the host ID
 * @param queues I/O queues; 0: one for each loop. The controller may grant fewer.
 * @param depth commands in flight per I/O queue, 1 to 1024. The controller may grant fewer.
 * @param maxQueued requests per I/O queue that may wait; more complete with NO_RESOURCES
 * @param headerDigest CRC32C over PDU headers (TCP)
 * @param dataDigest CRC32C over data (TCP)
 * @param times all the times
 * @param resend when commands that were cut off are sent again
 * @param onLoss what happens to requests while there is no connection
 */
public record HostOptions(InetSocketAddress address, String subsystemNqn, Optional<UUID> hostId,
    Optional<String> hostNqn, int queues, int depth, int maxQueued, boolean headerDigest, boolean dataDigest,
    Times times, Resend resend, OnLoss onLoss) {
  /** The well-known name of every discovery subsystem. */
  public static final String DISCOVERY_NQN = "nqn.2014-08.org.nvmexpress.discovery";

  /** The most commands in flight per I/O queue. */
  public static final int MAX_DEPTH = 1024;

  private static final int MAX_NQN_BYTES = 223;

  /**
   * When commands that change data, and whose connection went away before their answer came, are sent again.
   *
   * <p>The controller at the other end of the lost connection may still carry such a command out, late. If it had been sent
   * again and answered in the meantime, and newer data written over it, the late one would bring old data back.
   */
  public enum Resend {
    /**
     * When the old association is known to be dead: the controller has confirmed a reset, or its subsystem does not list it
     * any more (Identify CNS 13h), or it has heard no keep-alive for twice the keep-alive time-out (three times with
     * traffic-based keep-alive) and its command quiesce time has passed. The list is that of the target at the address: an
     * address must not move from one target to another that offers the same subsystem.
     */
    WHEN_OLD_IS_DEAD,
    /** As soon as there is a new association. This is what Linux does. */
    AT_ONCE
  }

  /** What happens to requests while there is no connection. */
  public enum OnLoss {
    /** They are held for up to {@link Times#holdNs} and sent on the next association. */
    HOLD,
    /**
     * They come back with DISCONNECTED, for a caller that has another path. A request comes back as soon as nothing of it can be
     * carried out here any more, by the rule of {@link Resend}: at once, unless it changes data and was sent already. What the
     * controller refuses with a path error comes back so too. The controller is never given up: {@link Times#holdNs} and {@link
     * Times#lossNs} mean nothing.
     */
    RETURN
  }

  /**
   * Times, all in nanoseconds.
   *
   * @param connectNs for one connection to stand, and for one admin command to be answered
   * @param keepAliveNs the keep-alive time-out (KATO) that the controller is told; 0: none
   * @param ioNs for one I/O command to be answered; then it is aborted, and after as long again the controller is reset
   * @param reconnectNs before the first attempt to reconnect; doubles with each further one
   * @param reconnectMaxNs the longest wait between two attempts
   * @param holdNs how long I/O is held while there is no connection; then it completes with DISCONNECTED, as what comes later
   *     does, until there is one again. 0: at once.
   * @param lossNs without a connection for so long, the controller is given up for good
   */
  public record Times(long connectNs, long keepAliveNs, long ioNs, long reconnectNs, long reconnectMaxNs, long holdNs,
      long lossNs) {
    /** Checks them. */
    public Times {
      Check.argument(connectNs > 0 && ioNs > 0, "time-outs must be positive");
      Check.argument(reconnectNs > 0 && reconnectMaxNs >= reconnectNs, "reconnect delays must be positive and grow");
      Check.argument(keepAliveNs >= 0 && holdNs >= 0 && lossNs >= 0, "times must not be negative");
    }

    /** Runs {@code attempt} on {@code loop} when it is time to connect again. */
    public Backoff backoff(Loop loop, Runnable attempt) {
      return new Backoff(loop, reconnectNs, reconnectMaxNs, attempt);
    }

    /** Connect 10 s, keep-alive 5 s, I/O 30 s, reconnect 100 ms to 5 s, hold and controller loss 600 s. */
    public static Times defaults() {
      return new Times(seconds(10), seconds(5), seconds(30), TimeUnit.MILLISECONDS.toNanos(100), seconds(5),
          seconds(600), seconds(600));
    }

    /** With another time-out for connections and admin commands. */
    public Times withConnect(long ns) {
      return new Times(ns, keepAliveNs, ioNs, reconnectNs, reconnectMaxNs, holdNs, lossNs);
    }

    /** With another keep-alive time-out. */
    public Times withKeepAlive(long ns) {
      return new Times(connectNs, ns, ioNs, reconnectNs, reconnectMaxNs, holdNs, lossNs);
    }

    /** With another I/O time-out. */
    public Times withIo(long ns) {
      return new Times(connectNs, keepAliveNs, ns, reconnectNs, reconnectMaxNs, holdNs, lossNs);
    }

    /** With other reconnect delays. */
    public Times withReconnect(long firstNs, long maxNs) {
      return new Times(connectNs, keepAliveNs, ioNs, firstNs, maxNs, holdNs, lossNs);
    }

    /** With another time for which I/O is held. */
    public Times withHold(long ns) {
      return new Times(connectNs, keepAliveNs, ioNs, reconnectNs, reconnectMaxNs, ns, lossNs);
    }

    /** With another controller-loss time-out. */
    public Times withLoss(long ns) {
      return new Times(connectNs, keepAliveNs, ioNs, reconnectNs, reconnectMaxNs, holdNs, ns);
    }

    private static long seconds(long count) {
      return TimeUnit.SECONDS.toNanos(count);
    }
  }

  /** Checks them. */
  public HostOptions {
    Check.argument(!address.isUnresolved(), "address %s is not resolved", address);
    checkNqn(subsystemNqn);
    hostNqn.ifPresent(HostOptions::checkNqn);
    Check.argument(queues >= 0 && queues <= 1024, "%d I/O queues: 0 to 1024", queues);
    Check.argument(depth >= 1 && depth <= MAX_DEPTH, "depth %d: 1 to %d", depth, MAX_DEPTH);
    Check.argument(maxQueued >= 1, "queue of %d requests: at least 1", maxQueued);
  }

  /** Defaults: a queue of 128 for each loop, no digests, {@link Times#defaults}. */
  public static HostOptions of(InetSocketAddress address, String subsystemNqn) {
    return new HostOptions(address, subsystemNqn, Optional.empty(), Optional.empty(), 0, 128, 16384, false, false,
        Times.defaults(), Resend.WHEN_OLD_IS_DEAD, OnLoss.HOLD);
  }

  /** At another address. */
  public HostOptions withAddress(InetSocketAddress other) {
    return new HostOptions(other, subsystemNqn, hostId, hostNqn, queues, depth, maxQueued, headerDigest, dataDigest,
        times, resend, onLoss);
  }

  /** To another subsystem. */
  public HostOptions withSubsystem(String nqn) {
    return new HostOptions(address, nqn, hostId, hostNqn, queues, depth, maxQueued, headerDigest, dataDigest, times,
        resend, onLoss);
  }

  /** As a certain host. */
  public HostOptions withHost(UUID id, String nqn) {
    return new HostOptions(address, subsystemNqn, Optional.of(id), Optional.of(nqn), queues, depth, maxQueued,
        headerDigest, dataDigest, times, resend, onLoss);
  }

  /** With another number of I/O queues, of another depth. */
  public HostOptions withQueues(int count, int eachDepth) {
    return new HostOptions(address, subsystemNqn, hostId, hostNqn, count, eachDepth, maxQueued, headerDigest,
        dataDigest, times, resend, onLoss);
  }

  /** With another bound on waiting requests. */
  public HostOptions withMaxQueued(int requests) {
    return new HostOptions(address, subsystemNqn, hostId, hostNqn, queues, depth, requests, headerDigest, dataDigest,
        times, resend, onLoss);
  }

  /** With digests or without. */
  public HostOptions withDigests(boolean header, boolean data) {
    return new HostOptions(address, subsystemNqn, hostId, hostNqn, queues, depth, maxQueued, header, data, times,
        resend, onLoss);
  }

  /** With other times. */
  public HostOptions withTimes(Times other) {
    return new HostOptions(address, subsystemNqn, hostId, hostNqn, queues, depth, maxQueued, headerDigest, dataDigest,
        other, resend, onLoss);
  }

  /** With another rule for what was cut off. */
  public HostOptions withResend(Resend other) {
    return new HostOptions(address, subsystemNqn, hostId, hostNqn, queues, depth, maxQueued, headerDigest, dataDigest,
        times, other, onLoss);
  }

  /** With another way to deal with requests while there is no connection. */
  public HostOptions withOnLoss(OnLoss other) {
    return new HostOptions(address, subsystemNqn, hostId, hostNqn, queues, depth, maxQueued, headerDigest, dataDigest,
        times, resend, other);
  }

  private static void checkNqn(String nqn) {
    int bytes = nqn.getBytes(StandardCharsets.UTF_8).length;
    Check.argument(nqn.startsWith("nqn.") && bytes <= MAX_NQN_BYTES, "'%s' is no NQN: nqn.…, at most %d bytes", nqn,
        MAX_NQN_BYTES);
  }
}
