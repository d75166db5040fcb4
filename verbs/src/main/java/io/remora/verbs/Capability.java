package io.remora.verbs;

/** Something that not every device can do. What a device lacks is refused with an error that names it, never emulated. */
public enum Capability {
  /** Reliable connected queue pairs. */
  RC,
  /** Unreliable connected queue pairs. */
  UC,
  /** Unreliable datagram queue pairs and address handles. */
  UD,
  /** {@link SendOpcode#READ}. */
  READ,
  /** {@link SendOpcode#SEND_WITH_IMMEDIATE} and {@link SendOpcode#WRITE_WITH_IMMEDIATE}. */
  IMMEDIATE,
  /** {@link SendOpcode#SEND_WITH_INVALIDATE}. */
  SEND_WITH_INVALIDATE,
  /** {@link SendOpcode#COMPARE_AND_SWAP} and {@link SendOpcode#FETCH_AND_ADD}, atomic against each other. */
  ATOMICS,
  /** Atomics are atomic against this machine's processors too. */
  ATOMICS_GLOBAL,
  /** Memory windows of type 2: {@link SendOpcode#BIND_WINDOW} and {@link SendOpcode#LOCAL_INVALIDATE}. */
  MEMORY_WINDOWS,
  /** Shared receive queues. */
  SHARED_RECEIVE_QUEUE,
  /** A message for which no receive is posted waits on RC; without this the connection ends, so that peers must count credits. */
  RECEIVER_NOT_READY,
  /**
   * The requester learns by the status of its own request what the responder refused ({@link WorkStatus#REMOTE_ACCESS_ERROR} and others).
   * Without it the connection ends and requests end with {@link WorkStatus#FLUSH_ERROR}; the reason comes as an {@link AsyncEvent}, if at all.
   */
  REMOTE_STATUS,
  /** Peers cannot read a region without {@link Access#REMOTE_READ}; without this they read any region of the protection domain whose key they know. */
  READ_RIGHTS,
  /** {@link CompletionQueue#requestNotify} for solicited messages only. */
  SOLICITED_EVENTS,
  /** Any native memory may be registered; without it only memory from {@link Context#allocate}, or of a base buffer pool. */
  ANY_MEMORY,
  /**
   * The data of reads and writes goes to and from the requester's memory at once, on its loop, in pieces of 4 KiB or more from the beginning: nobody on the loop sees half a piece, and what fails has changed whole
   * pieces.
   */
  COPIES_AT_ONCE,
  /** {@link ProtectionDomain#reservedRegion}: memory that is not registered, for this end's own requests. */
  RESERVED_LKEY,
  /** Queue pairs may be brought up by {@link QueuePair#modify} without the connection manager. */
  MANUAL_CONNECTION,
  /**
   * Peers are processes of this machine and share its memory, and listeners' addresses mean nothing elsewhere. A read or a write is one copy by the requester when it begins, a message is two: data is better moved by
   * the former.
   */
  SHARED_MEMORY
}
