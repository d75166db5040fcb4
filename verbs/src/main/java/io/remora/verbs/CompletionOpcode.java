package io.remora.verbs;

/** What has completed; numbers of {@code ibv_wc_opcode}. Valid with {@link WorkStatus#SUCCESS} only. */
public enum CompletionOpcode {
  SEND(0),
  WRITE(1),
  READ(2),
  COMPARE_AND_SWAP(3),
  FETCH_AND_ADD(4),
  BIND_WINDOW(5),
  LOCAL_INVALIDATE(6),
  /** A receive that a message has filled. */
  RECEIVE(128),
  /** A receive that a write with immediate data has taken; its memory is as it was. */
  RECEIVE_WRITE_WITH_IMMEDIATE(129);

  private final int code;

  CompletionOpcode(int code) {
    this.code = code;
  }

  /** The number that libibverbs gives it. */
  public int code() {
    return code;
  }

  /** That of a send request. */
  public static CompletionOpcode of(SendOpcode opcode) {
    return switch (opcode) {
      case WRITE, WRITE_WITH_IMMEDIATE -> WRITE;
      case SEND, SEND_WITH_IMMEDIATE, SEND_WITH_INVALIDATE -> SEND;
      case READ -> READ;
      case COMPARE_AND_SWAP -> COMPARE_AND_SWAP;
      case FETCH_AND_ADD -> FETCH_AND_ADD;
      case LOCAL_INVALIDATE -> LOCAL_INVALIDATE;
      case BIND_WINDOW -> BIND_WINDOW;
    };
  }
}
