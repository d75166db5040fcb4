package io.remora.cli.rdma;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;

/**
 * What the measuring end asks for, as the private data of its connection: {@code RMRP}, version 1, operation, two reserved bytes, bytes per operation, operations at
 * once; 16 bytes, little-endian. The other end answers with its memory: address, key, length.
 *
 * @param operation what is measured
 * @param bytes of each operation, 0 to {@link #MAX_BYTES}
 * @param depth operations under way at once, 1 to {@link #MAX_DEPTH}
 */
record PerfTerms(Operation operation, int bytes, int depth) {
  /** The operations that can be measured. */
  enum Operation {
    /** A message there and one of the same length back. */
    SEND(0),
    /** A write, until it has completed here. */
    WRITE(1),
    /** A read. */
    READ(2),
    /** A fetch and add of 8 bytes. */
    ATOMIC(3);

    private final byte code;

    Operation(int code) {
      this.code = (byte) code;
    }

    static Operation of(byte code) {
      for (Operation operation : values()) {
        if (operation.code == code) {
          return operation;
        }
      }
      throw new RemoraException(Status.INVALID, "operation " + code + " is not known");
    }

    static Operation parse(String text) {
      for (Operation operation : values()) {
        if (operation.text().equals(text)) {
          return operation;
        }
      }
      throw new RemoraException(Status.INVALID, "operation '" + text + "': send, write, read or atomic");
    }

    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final int MAX_BYTES = 8 << 20;
  static final int MAX_DEPTH = 1024;
  /** Of both ends' memory. */
  static final long MAX_MEMORY = 256L << 20;
  static final int LENGTH = 16;
  static final int ANSWER_LENGTH = 24;

  private static final int MAGIC = 0x5052_4d52;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  PerfTerms {
    Check.argument(bytes >= 0 && bytes <= MAX_BYTES, "%d bytes per operation: 0 to %d", bytes, MAX_BYTES);
    Check.argument(depth >= 1 && depth <= MAX_DEPTH, "%d operations at once: 1 to %d", depth, MAX_DEPTH);
    Check.argument((long) Math.max(64, bytes) * depth <= MAX_MEMORY,
        "%d operations of %d bytes need over %d MiB of memory", depth, bytes,
        MAX_MEMORY >> 20);
    Check.argument(operation != Operation.ATOMIC || bytes == 8, "an atomic has 8 bytes");
  }

  /** What one operation has of the memory, in bytes. */
  int stride() {
    return Math.max(64, (bytes + 63) & -64);
  }

  long memoryBytes() {
    return (long) stride() * depth;
  }

  MemorySegment encode() {
    MemorySegment data = MemorySegment.ofArray(new byte[LENGTH]);
    data.set(INT, 0, MAGIC);
    data.set(JAVA_BYTE, 4, (byte) 1);
    data.set(JAVA_BYTE, 5, operation.code);
    data.set(INT, 8, bytes);
    data.set(INT, 12, depth);
    return data;
  }

  /** Of a peer's request; refuses anything else. */
  static PerfTerms decode(MemorySegment data) {
    Check.argument(data.byteSize() >= LENGTH && data.get(INT, 0) == MAGIC, "not 'remora rdma perf' at the other end");
    Check.argument(data.get(JAVA_BYTE, 4) == 1, "the other end speaks version %d, this one 1", data.get(JAVA_BYTE, 4));
    return new PerfTerms(Operation.of(data.get(JAVA_BYTE, 5)), data.get(INT, 8), data.get(INT, 12));
  }

  /** Memory of the answering end. */
  record Memory(long address, int key, long bytes) {
    MemorySegment encode() {
      MemorySegment data = MemorySegment.ofArray(new byte[ANSWER_LENGTH]);
      data.set(LONG, 0, address);
      data.set(INT, 8, key);
      data.set(LONG, 16, bytes);
      return data;
    }

    static Memory decode(MemorySegment data) {
      Check.argument(data.byteSize() >= ANSWER_LENGTH, "not 'remora rdma perf' at the other end");
      return new Memory(data.get(LONG, 0), data.get(INT, 8), data.get(LONG, 16));
    }
  }
}
