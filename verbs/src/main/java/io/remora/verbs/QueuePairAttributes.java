package io.remora.verbs;

import org.jspecify.annotations.Nullable;

/**
 * A change of a queue pair's state ({@code ibv_qp_attr}), as far as it is not the connection manager's affair.
 *
 * @param state where it is to go
 * @param destination UC and RC, to READY_TO_RECEIVE: the way to the other end; else null
 * @param destinationQueuePair UC and RC, to READY_TO_RECEIVE: the other end's number
 * @param receiveSequence to READY_TO_RECEIVE: the first packet number that is expected, 24 bits
 * @param sendSequence to READY_TO_SEND: the first packet number that is sent, 24 bits
 * @param queueKey UD, to INIT: what datagrams must bring to be taken
 * @param remoteAccess to INIT: what peers may do at all, bits of {@link Access}
 */
public record QueuePairAttributes(QueuePairState state, @Nullable AddressHandle destination, int destinationQueuePair,
    int receiveSequence, int sendSequence, int queueKey, int remoteAccess) {
  /** Only the state. */
  public static QueuePairAttributes to(QueuePairState state) {
    return new QueuePairAttributes(state, null, 0, 0, 0, 0, 0);
  }

  /** To INIT. */
  public static QueuePairAttributes init(int queueKey, int remoteAccess) {
    return new QueuePairAttributes(QueuePairState.INIT, null, 0, 0, 0, queueKey, remoteAccess);
  }

  /** To READY_TO_RECEIVE, connected with {@code queuePair} behind {@code destination}. */
  public static QueuePairAttributes receive(AddressHandle destination, int queuePair, int sequence) {
    return new QueuePairAttributes(QueuePairState.READY_TO_RECEIVE, destination, queuePair, sequence, 0, 0, 0);
  }

  /** To READY_TO_SEND. */
  public static QueuePairAttributes send(int sequence) {
    return new QueuePairAttributes(QueuePairState.READY_TO_SEND, null, 0, 0, sequence, 0, 0);
  }
}
