package io.remora.verbs;

import io.remora.base.Status;
import org.jspecify.annotations.Nullable;

/**
 * A send queue and a receive queue ({@code ibv_qp}). Belongs to its context's loop.
 *
 * <p>Requests of a queue start and complete in order. A request that fails brings the queue pair into {@link QueuePairState#ERROR}: it shows its own status, and all
 * others that were posted show {@link WorkStatus#FLUSH_ERROR}, in order, signalled or not. A signalled completion says that the unsignalled requests before it
 * have succeeded too, and only it gives their places in the queue back: signal at least one of as many as the queue holds.
 */
public interface QueuePair extends AutoCloseable {
  /** Its number, 24 bits, among those of the device. */
  int number();

  /** Its service. */
  QueuePairType type();

  /** Where it stands. */
  QueuePairState state();

  /** Where it belongs. */
  ProtectionDomain protectionDomain();

  /**
   * Posts a send request. Nothing of the object is kept, the memory it names is: see {@link SendRequest}. What is posted in one turn of the loop may leave together at
   * the end of the turn.
   *
   * @return {@link Status#OK}; {@link Status#NO_RESOURCES} when the queue is full; {@link Status#INVALID} for a request that breaks the queue pair's bounds, names memory of
   *     another protection domain or that this end may not use so, is a datagram without a destination, or comes before {@link QueuePairState#READY_TO_SEND}; {@link
   *     Status#UNSUPPORTED} for an operation that this type of queue pair, the device or the peer has not, which {@link #whyUnsupported} puts in words. Nothing was posted then.
   */
  Status postSend(SendRequest request);

  /**
   * Why {@link #postSend} answers {@link Status#UNSUPPORTED} to requests with that opcode, for people: names provider, device and operation, and says what to do instead. Makes its text
   * when it is asked, so that a refused post costs no more than another.
   *
   * @return null when such requests may be posted
   */
  default @Nullable String whyUnsupported(SendOpcode opcode) {
    return Unsupported.text(this, opcode);
  }

  /**
   * Posts {@code count} of {@code requests} in order, with one call to the device where that helps.
   *
   * @return how many were posted: fewer than {@code count} when one was refused, which {@link #postSend} gives the reason for
   */
  default int postSends(SendRequest[] requests, int count) {
    for (int i = 0; i < count; i++) {
      if (!postSend(requests[i]).isOk()) {
        return i;
      }
    }
    return count;
  }

  /** Posts a receive, from {@link QueuePairState#INIT} on. Results as those of {@link #postSend}; INVALID also with a shared receive queue. */
  Status postReceive(ReceiveRequest request);

  /**
   * Changes its state without the connection manager. To {@link QueuePairState#ERROR} and {@link QueuePairState#RESET} any queue pair may be brought; the rest needs
   * {@link Capability#MANUAL_CONNECTION}.
   *
   * @throws io.remora.base.RemoraException INVALID for a change that there is not, UNSUPPORTED without the capability
   */
  void modify(QueuePairAttributes attributes);

  /** Ends it: nothing of it completes any more, and a connection is broken. To see what was posted, modify to ERROR first and poll. Idempotent. */
  @Override
  void close();
}
