package io.remora.nvme.target;

import io.remora.base.Check;

/**
 * The bounds of a target. All of them are announced to hosts where NVMe has a field for that, and enforced.
 *
 * @param queueEntries the most entries of a queue, 16 to 1024
 * @param ioQueues the most I/O queues of a controller, 1 to 1024
 * @param inCapsuleBytes the most data that an I/O command may bring in its capsule, in bytes; 0 to 64 KiB, a multiple of 4096. Longer
 *     writes cost another round trip and nothing else
 * @param maxTransferBytes the most data of one command, in bytes; 64 KiB to 4 MiB, a power of two
 * @param memoryPerLoopBytes the most I/O memory that one loop takes for all its connections, in bytes; at least 32 MiB
 * @param memoryPerConnectionBytes the most I/O memory that one connection holds, in bytes; at least two of the largest transfers. Commands
 *     beyond it, or beyond as much as is still free on the loop, wait: however greedy the others are, something is left
 * @param connectTimeoutNs how long a new connection may take to its Connect command, in nanoseconds
 * @param stallTimeoutNs how long a peer may take none of what is sent to it, or send nothing of the data it was asked for, in
 *     nanoseconds; it is noticed after up to twice as long
 * @param limits how many hosts and connections are served
 */
public record TargetConfig(int queueEntries, int ioQueues, int inCapsuleBytes, int maxTransferBytes,
    long memoryPerLoopBytes, long memoryPerConnectionBytes, long connectTimeoutNs, long stallTimeoutNs,
    ConnectionLimits limits) {
  /** Bounds for a machine of today. */
  public static final TargetConfig DEFAULT = new TargetConfig(256, 64, 16 << 10, 1 << 20, 256L << 20, 32L << 20,
      10_000_000_000L, 60_000_000_000L, ConnectionLimits.DEFAULT);

  /** Checks the bounds. */
  public TargetConfig {
    Check.argument(queueEntries >= 16 && queueEntries <= 1024, "%d queue entries: 16 to 1024", queueEntries);
    Check.argument(ioQueues >= 1 && ioQueues <= 1024, "%d I/O queues: 1 to 1024", ioQueues);
    Check.argument(inCapsuleBytes >= 0 && inCapsuleBytes <= 64 << 10 && inCapsuleBytes % 4096 == 0,
        "%d bytes in a capsule: 0 to 65536, a multiple of 4096", inCapsuleBytes);
    Check.argument(
        maxTransferBytes >= 64 << 10 && maxTransferBytes <= 4 << 20 && Integer.bitCount(maxTransferBytes) == 1,
        "transfers of %d bytes: 64 KiB to 4 MiB, a power of two", maxTransferBytes);
    Check.argument(memoryPerLoopBytes >= 32 << 20, "%d bytes per loop: at least 32 MiB", memoryPerLoopBytes);
    Check.argument(memoryPerConnectionBytes >= 2L * maxTransferBytes, "%d bytes per connection: at least %d",
        memoryPerConnectionBytes, 2L * maxTransferBytes);
  }

  /** These bounds with other limits of memory. */
  public TargetConfig withMemory(long perLoopBytes, long perConnectionBytes) {
    return new TargetConfig(queueEntries, ioQueues, inCapsuleBytes, maxTransferBytes, perLoopBytes, perConnectionBytes,
        connectTimeoutNs, stallTimeoutNs, limits);
  }

  /** These bounds with another number of queues and entries. */
  public TargetConfig withQueues(int queues, int entries) {
    return new TargetConfig(entries, queues, inCapsuleBytes, maxTransferBytes, memoryPerLoopBytes,
        memoryPerConnectionBytes, connectTimeoutNs, stallTimeoutNs, limits);
  }

  /** These bounds with other limits. */
  public TargetConfig withLimits(ConnectionLimits other) {
    return new TargetConfig(queueEntries, ioQueues, inCapsuleBytes, maxTransferBytes, memoryPerLoopBytes,
        memoryPerConnectionBytes, connectTimeoutNs, stallTimeoutNs, other);
  }
}
