package io.remora.verbs;

/** What a send request asks for; numbers of {@code ibv_wr_opcode}. */
public enum SendOpcode {
  /** Writes to the peer's memory; the peer is told nothing. */
  WRITE(0),
  /** Writes, then takes a receive of the peer's and hands it 32 bits. */
  WRITE_WITH_IMMEDIATE(1),
  /** Sends a message to the peer's next receive. */
  SEND(2),
  /** A message with 32 bits beside it. */
  SEND_WITH_IMMEDIATE(3),
  /** Reads the peer's memory. */
  READ(4),
  /** Compares 8 bytes of the peer's memory and swaps them when they are equal; brings what was there. */
  COMPARE_AND_SWAP(5),
  /** Adds to 8 bytes of the peer's memory; brings what was there. */
  FETCH_AND_ADD(6),
  /** Makes a key of this end's invalid: a bound memory window's. */
  LOCAL_INVALIDATE(7),
  /** Binds a memory window to a part of a memory region. */
  BIND_WINDOW(8),
  /** A message that makes a key of the peer's invalid as it arrives. */
  SEND_WITH_INVALIDATE(9);

  private final int code;

  SendOpcode(int code) {
    this.code = code;
  }

  /** The number that libibverbs gives it. */
  public int code() {
    return code;
  }

  /** What a device must be capable of to have it on queue pairs of that type. */
  public Capability capability(QueuePairType type) {
    return switch (this) {
      case SEND, WRITE -> type.capability();
      case READ -> Capability.READ;
      case SEND_WITH_IMMEDIATE, WRITE_WITH_IMMEDIATE -> Capability.IMMEDIATE;
      case SEND_WITH_INVALIDATE -> Capability.SEND_WITH_INVALIDATE;
      case COMPARE_AND_SWAP, FETCH_AND_ADD -> Capability.ATOMICS;
      case LOCAL_INVALIDATE, BIND_WINDOW -> Capability.MEMORY_WINDOWS;
    };
  }

  /** Whether it takes a receive of the peer's. */
  public boolean takesReceive() {
    return this == SEND || this == SEND_WITH_IMMEDIATE || this == SEND_WITH_INVALIDATE || this == WRITE_WITH_IMMEDIATE;
  }

  /** Whether it brings data to this end, and so waits for the peer and counts against the depth of reads and atomics. */
  public boolean brings() {
    return this == READ || isAtomic();
  }

  /** Whether it is one of the two atomics. */
  public boolean isAtomic() {
    return this == COMPARE_AND_SWAP || this == FETCH_AND_ADD;
  }

  /** Whether it names memory of the peer's. */
  public boolean namesRemoteMemory() {
    return this == WRITE || this == WRITE_WITH_IMMEDIATE || brings();
  }
}
