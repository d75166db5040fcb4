package io.remora.verbs;

/** The service of a queue pair; numbers of {@code ibv_qp_type}. */
public enum QueuePairType {
  /** Reliable connected: everything, in order, exactly once. */
  RC(2),
  /** Unreliable connected: sends and writes; what is lost is lost whole. */
  UC(3),
  /** Unreliable datagram: sends of at most one MTU, to anybody. A datagram stands behind the first {@link ReceiveRequest#ROUTE_HEADER_BYTES} of its receive. */
  UD(4);

  private final int code;

  QueuePairType(int code) {
    this.code = code;
  }

  /** The number that libibverbs gives it. */
  public int code() {
    return code;
  }

  /** What a device must be capable of to have one. */
  public Capability capability() {
    return switch (this) {
      case RC -> Capability.RC;
      case UC -> Capability.UC;
      case UD -> Capability.UD;
    };
  }

  /** Whether requests with that opcode may be posted to it. */
  public boolean carries(SendOpcode opcode) {
    return switch (opcode) {
      case SEND, SEND_WITH_IMMEDIATE -> true;
      case WRITE, WRITE_WITH_IMMEDIATE, LOCAL_INVALIDATE, BIND_WINDOW -> this != UD;
      case SEND_WITH_INVALIDATE, READ, COMPARE_AND_SWAP, FETCH_AND_ADD -> this == RC;
    };
  }
}
