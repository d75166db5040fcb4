package io.remora.verbs;

import org.jspecify.annotations.Nullable;

/**
 * Something that no completion tells ({@code ibv_async_event}).
 *
 * @param kind what happened
 * @param queuePair where; null when it is not a queue pair's affair
 * @param text for people: the peer's reason, numbers included
 */
public record AsyncEvent(Kind kind, @Nullable QueuePair queuePair, String text) {
  /** What happens; as far as there are any, numbers of {@code ibv_event_type}. */
  public enum Kind {
    COMPLETION_QUEUE_ERROR(0),
    QUEUE_PAIR_FATAL(1),
    QUEUE_PAIR_REQUEST_ERROR(2),
    QUEUE_PAIR_ACCESS_ERROR(3),
    COMMUNICATION_ESTABLISHED(4),
    SEND_QUEUE_DRAINED(5),
    /** The device has failed or is gone: nothing that is open of it works any more, listeners hear no one. Close it all and open the device again. */
    DEVICE_FATAL(8),
    PORT_ACTIVE(9),
    PORT_ERROR(10),
    SHARED_RECEIVE_QUEUE_ERROR(14),
    SHARED_RECEIVE_QUEUE_LIMIT(15),
    LAST_WORK_REQUEST_REACHED(16),
    OTHER(-1);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /** The number that libibverbs gives it. */
    public int code() {
      return code;
    }
  }
}
