package io.remora.nvme.rdma;

import io.remora.base.Check;

/**
 * Bounds of a target's RDMA connections, beside those of {@link io.remora.nvme.target.TargetConfig}.
 *
 * @param queueEntries the most entries of a queue, 32 to 1024; each has a receive with memory of its own for the data in a capsule
 * @param inCapsuleBytes the most data that an I/O command may bring in its capsule, in bytes; 0 to 16 KiB, a multiple of 4096. It is
 *     read by nobody: it goes to the device from where it came, and it saves the target a read from the host
 * @param reads how many reads of one connection's are under way at once, 1 to 128; fewer when host or device take fewer
 * @param bytes what may be registered
 */
public record RdmaTargetOptions(int queueEntries, int inCapsuleBytes, int reads, RegisteredBytes bytes) {
  /** What receives and capsules of one connection take at most, in bytes. */
  private static final int MAX_CONNECTION_BYTES = 4 << 20;

  /** Checks the bounds. */
  public RdmaTargetOptions {
    Check.argument(queueEntries >= 32 && queueEntries <= 1024, "%d queue entries: 32 to 1024", queueEntries);
    Check.argument(inCapsuleBytes >= 0 && inCapsuleBytes <= 16 << 10 && inCapsuleBytes % 4096 == 0,
        "%d bytes in a capsule: 0 to 16384, a multiple of 4096", inCapsuleBytes);
    Check.argument((long) queueEntries * inCapsuleBytes <= MAX_CONNECTION_BYTES,
        "%d entries of %d bytes each are more than %d bytes for a connection",
        queueEntries, inCapsuleBytes, MAX_CONNECTION_BYTES);
    Check.argument(reads >= 1 && reads <= 128, "%d reads at once: 1 to 128", reads);
  }

  /** Queues of 128, 4 KiB in a capsule, 64 reads at once. */
  public static RdmaTargetOptions of(RegisteredBytes bytes) {
    return new RdmaTargetOptions(128, 4096, 64, bytes);
  }

  /** With another bound on data in a capsule. */
  public RdmaTargetOptions withInCapsuleBytes(int most) {
    return new RdmaTargetOptions(queueEntries, most, reads, bytes);
  }

  /** With other queues. */
  public RdmaTargetOptions withQueueEntries(int most) {
    return new RdmaTargetOptions(most, inCapsuleBytes, reads, bytes);
  }

  /** With another number of reads at once. */
  public RdmaTargetOptions withReads(int most) {
    return new RdmaTargetOptions(queueEntries, inCapsuleBytes, most, bytes);
  }
}
