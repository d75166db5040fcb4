package io.remora.verbs.tool;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Access;
import java.util.Locale;

/**
 * What a client does with a server of perftest. As with perftest's own programs nothing of this goes over the wire: both ends have to be told the same.
 *
 * @param operation what the client does
 * @param bytes of each operation, 1 to {@link #MAX_BYTES}; 8 for the atomics
 * @param iterations how many, 1 to {@link #MAX_ITERATIONS}
 * @param depth how many the client has under way at once, 1 to {@link #MAX_DEPTH}
 * @param receives how many the server of {@link Operation#SEND} has posted at once, 4 to {@link #MAX_DEPTH}; {@link #DEFAULT_RECEIVES} unless perftest is told otherwise
 * @param verified whether both ends look at the data too, which takes time
 */
public record PerftestJob(Operation operation, int bytes, long iterations, int depth, int receives, boolean verified) {
  /** The operations, each a program of perftest's. */
  public enum Operation {
    /** {@code ib_send_bw}. */
    SEND(0),
    /** {@code ib_write_bw}. */
    WRITE(Access.REMOTE_WRITE),
    /** {@code ib_read_bw}. */
    READ(Access.REMOTE_READ),
    /** {@code ib_atomic_bw}: adds 1. */
    FETCH_AND_ADD(Access.REMOTE_ATOMIC),
    /** {@code ib_atomic_bw -A CMP_AND_SWAP}. */
    COMPARE_AND_SWAP(Access.REMOTE_ATOMIC);

    private final int access;

    Operation(int access) {
      this.access = access;
    }

    /** What the server lets the client do with its memory: bits of {@link Access}. */
    int access() {
      return Access.LOCAL_WRITE | access;
    }

    boolean isAtomic() {
      return access == Access.REMOTE_ATOMIC;
    }

    /** Whether it brings data to the client. */
    boolean brings() {
      return this == READ || isAtomic();
    }

    /** For people: {@code fetch-and-add}. */
    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The reverse of {@link #text}; {@code atomic} is fetch-and-add, as with {@code ib_atomic_bw}. */
    public static Operation parse(String text) {
      if ("atomic".equals(text)) {
        return FETCH_AND_ADD;
      }
      for (Operation operation : values()) {
        if (operation.text().equals(text)) {
          return operation;
        }
      }
      throw new RemoraException(Status.INVALID,
          "operation '" + text + "': send, write, read, fetch-and-add (or atomic) or compare-and-swap");
    }
  }

  /** The longest operation, in bytes. */
  public static final int MAX_BYTES = 8 << 20;
  /** The most iterations. */
  public static final long MAX_ITERATIONS = 100_000_000;
  /** The most requests under way, and receives. */
  public static final int MAX_DEPTH = 4096;
  /** What perftest posts. */
  public static final int DEFAULT_RECEIVES = 512;
  /** Of either end's memory, in bytes. */
  private static final long MAX_MEMORY = 256L << 20;

  /** Refuses what makes no sense. */
  public PerftestJob {
    Check.argument(bytes >= 1 && bytes <= MAX_BYTES, "%d bytes per operation: 1 to %d", bytes, MAX_BYTES);
    Check.argument(!operation.isAtomic() || bytes == 8, "an atomic has 8 bytes, not %d", bytes);
    Check.argument(iterations >= 1 && iterations <= MAX_ITERATIONS, "%d iterations: 1 to %d", iterations,
        MAX_ITERATIONS);
    Check.argument(depth >= 1 && depth <= MAX_DEPTH, "%d operations at once: 1 to %d", depth, MAX_DEPTH);
    Check.argument(receives >= 4 && receives <= MAX_DEPTH, "%d receives: 4 to %d", receives, MAX_DEPTH);
    Check.argument(!operation.brings() || (long) bytes * depth <= MAX_MEMORY,
        "%d operations of %d bytes need over %d MiB of memory", depth, bytes, MAX_MEMORY >> 20);
    Check.argument(operation != Operation.SEND || (long) bytes * Math.min(receives, iterations) <= MAX_MEMORY,
        "%d receives of %d bytes need over %d MiB of memory", receives, bytes, MAX_MEMORY >> 20);
  }

  /** With perftest's number of receives, and the data looked at. */
  public static PerftestJob of(Operation operation, int bytes, long iterations, int depth) {
    return new PerftestJob(operation, bytes, iterations, depth, DEFAULT_RECEIVES, true);
  }

  /** The messages that may be on their way without a word from the receiver. */
  int window() {
    return (int) Math.min(receives, iterations);
  }
}
