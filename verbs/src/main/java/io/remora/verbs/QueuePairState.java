package io.remora.verbs;

/** Where a queue pair stands in its life; numbers of {@code ibv_qp_state}. */
public enum QueuePairState {
  /** New, or emptied for another life. Takes no requests. */
  RESET(0),
  /** Takes receives. */
  INIT(1),
  /** Ready to receive: takes receives, and messages fill them. */
  READY_TO_RECEIVE(2),
  /** Ready to send: takes everything. */
  READY_TO_SEND(3),
  /** Sends what was begun, and nothing more. */
  SEND_DRAINED(4),
  /** The send queue has failed; receives go on (UC, UD). */
  SEND_ERROR(5),
  /** Failed or shut: whatever is posted ends with {@link WorkStatus#FLUSH_ERROR}. */
  ERROR(6);

  private final int code;

  QueuePairState(int code) {
    this.code = code;
  }

  /** The number that libibverbs gives it. */
  public int code() {
    return code;
  }
}
