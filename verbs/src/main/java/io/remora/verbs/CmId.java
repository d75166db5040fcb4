package io.remora.verbs;

import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection in the making, standing or ended ({@code rdma_cm_id}). Belongs to its context's loop.
 *
 * <p>A connection that ends brings its queue pair into {@link QueuePairState#ERROR}; the queue pair is its user's to close, before or after the id.
 */
public interface CmId extends AutoCloseable {
  /**
   * How a connection is to be.
   *
   * @param privateData for the other end; at most {@link DeviceAttributes#maxPrivateDataBytes}, read before the call returns
   * @param responderResources reads and atomics that this end serves at once, 0 to {@link DeviceAttributes#maxReads}
   * @param initiatorDepth reads and atomics that this end wants under way at once, 0 to {@link DeviceAttributes#maxReads}
   */
  record Parameters(MemorySegment privateData, int responderResources, int initiatorDepth) {
    /** No private data, and 16 reads at a time both ways. */
    public static final Parameters DEFAULT = new Parameters(MemorySegment.NULL, 16, 16);

    /** This with {@code data} for the other end. */
    public Parameters with(MemorySegment data) {
      return new Parameters(data, responderResources, initiatorDepth);
    }
  }

  /**
   * What the two ends have agreed on.
   *
   * @param privateData what the other end has to say; a copy, read-only; may be padded with zeros
   * @param responderResources reads and atomics that this end serves at once
   * @param initiatorDepth reads and atomics that this end may have under way at once; more of them wait in the send queue
   * @param destination of a datagram connection: the way to the other end; belongs to the id
   * @param queuePair of a datagram connection: the other end's number
   * @param queueKey of a datagram connection: the key for it
   */
  record Established(MemorySegment privateData, int responderResources, int initiatorDepth,
      @Nullable AddressHandle destination,
      int queuePair, int queueKey) {}

  /** What happens to the connection, on its loop. After {@link #close} nothing is called any more. */
  interface Handler {
    /** The way is known: now the queue pair can be made and connected. */
    default void onResolved() {}

    /** It stands. */
    void onEstablished(Established connection);

    /** The other end does not want it. {@code reason} is the fabric's number, {@code privateData} a copy. */
    default void onRejected(int reason, MemorySegment privateData) {
      onFailed(Status.DENIED, "rejected by the other end, reason " + reason);
    }

    /** It could not be made: no way, nobody there, no answer. The last call. */
    void onFailed(Status reason, String text);

    /**
     * It has ended, by either side or by a failure: {@code reason} is {@link Status#OK} after an orderly end. The last call. A datagram connection is but an exchange of numbers: of the
     * other end's end nothing is heard.
     */
    void onDisconnected(Status reason, String text);
  }

  /** Where it belongs. */
  Context context();

  /** This end. */
  InetSocketAddress localAddress();

  /** The other end. */
  InetSocketAddress remoteAddress();

  /**
   * A queue pair for this connection, in the state {@link QueuePairState#INIT}, so that receives can be posted. Once, after {@link Handler#onResolved} or for a request.
   *
   * @param domain of this id's context
   */
  QueuePair createQueuePair(ProtectionDomain domain, QueuePairConfig config);

  /** Connects the queue pair. Post receives before: a peer may answer at once. */
  void connect(Parameters parameters);

  /** Accepts with the queue pair. Post receives before. */
  void accept(Parameters parameters);

  /** Refuses. */
  void reject(MemorySegment privateData);

  /** Ends the connection: what is still in the send queue may be flushed. Both ends hear {@link Handler#onDisconnected}. */
  void disconnect();

  /** Frees it; a connection that stands is ended. Idempotent. */
  @Override
  void close();
}
