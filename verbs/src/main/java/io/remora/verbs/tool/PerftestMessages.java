package io.remora.verbs.tool;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The messages of perftest's first connection, as version 6.06 (of package 4.5) sends them. Numbers are big-endian. Stateless.
 *
 * <pre>
 * version    "6.06", zeros up to 16 bytes
 * number     4 bytes, or 8; a double has 8
 * MTU        a digit and a zero byte
 * memory     0   local identifier of an InfiniBand port
 *            4   reads and atomics that are served at once
 *            8   number of the queue pair
 *           12   packet sequence number
 *           16   key
 *           20   (undefined)
 *           24   address, 8 bytes
 *           32   global identifier of the port, 16 bytes
 *           48   (undefined), up to 56
 * </pre>
 */
final class PerftestMessages {
  /** Of a message about memory, the longest there is. */
  static final int MAX_BYTES = 56;
  /** What this end says it is. */
  static final String VERSION = "6.06";

  /** The first that has these messages, and the first whose messages about memory are longer. */
  private static final double MIN_VERSION = 5.70;
  private static final double END_VERSION = 6.28;

  private static final int VERSION_BYTES = 16;
  private static final Pattern VERSION_TEXT = Pattern.compile("(\\d{1,4}\\.\\d{1,4}).*");
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED
      .withOrder(ByteOrder.BIG_ENDIAN);

  private PerftestMessages() {}

  /**
   * An end's memory for the other.
   *
   * @param address of its first byte
   * @param key by which the other end names it
   * @param reads that this end serves at once
   * @param queuePair number, for people
   */
  record Memory(long address, int key, int reads, int queuePair) {
    static final Memory NONE = new Memory(0, 0, 0, 0);

    void write(MemorySegment message) {
      message.fill((byte) 0);
      message.set(INT, 4, reads);
      message.set(INT, 8, queuePair);
      message.set(INT, 16, key);
      message.set(LONG, 24, address);
    }

    static Memory read(MemorySegment message) {
      return new Memory(message.get(LONG, 24), message.get(INT, 16), message.get(INT, 4), message.get(INT, 8));
    }

    /** Refuses an address after which there are not {@code bytes} more. */
    Memory holding(long bytes) {
      if (Long.compareUnsigned(address + bytes, address) < 0) {
        throw new RemoraException(Status.PROTOCOL_ERROR,
            "memory of " + bytes + " bytes at 0x" + Long.toHexString(address) + " goes beyond the last address");
      }
      return this;
    }
  }

  static void writeVersion(MemorySegment message) {
    message.fill((byte) 0);
    MemorySegment.copy(MemorySegment.ofArray(VERSION.getBytes(StandardCharsets.US_ASCII)), 0, message, 0,
        VERSION.length());
  }

  /** Refuses a version that speaks otherwise. */
  static String readVersion(MemorySegment message) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < VERSION_BYTES && message.get(ValueLayout.JAVA_BYTE, i) != 0; i++) {
      int value = message.get(ValueLayout.JAVA_BYTE, i);
      text.append(value > ' ' && value < 0x7f ? (char) value : '?');
    }
    var parts = VERSION_TEXT.matcher(text);
    if (!parts.matches()) {
      throw new RemoraException(Status.PROTOCOL_ERROR, "'" + text + "' is not a version of perftest's");
    }
    double version = Double.parseDouble(parts.group(1));
    if (version < MIN_VERSION || version >= END_VERSION) {
      throw new RemoraException(Status.UNSUPPORTED, "the other end's perftest is version " + text
          + "; this one speaks with 5.70 and later, but before 6.28");
    }
    return text.toString();
  }

  static void writeMtu(MemorySegment message) {
    message.set(ValueLayout.JAVA_BYTE, 0, (byte) '3');
    message.set(ValueLayout.JAVA_BYTE, 1, (byte) 0);
  }

  static void writeInt(MemorySegment message, int value) {
    message.set(INT, 0, value);
  }

  /** A number of the peer's, {@code min} to {@code max}. */
  static int readInt(MemorySegment message, String what, int min, int max) {
    int value = message.get(INT, 0);
    if (value < min || value > max) {
      throw new RemoraException(Status.PROTOCOL_ERROR, what + " of " + value + " bytes: " + min + " to " + max);
    }
    return value;
  }

  static void writeLong(MemorySegment message, long value) {
    message.set(LONG, 0, value);
  }

  static long readLong(MemorySegment message) {
    return message.get(LONG, 0);
  }

  static void writeDouble(MemorySegment message, double value) {
    message.set(DOUBLE, 0, value);
  }

  static double readDouble(MemorySegment message) {
    return message.get(DOUBLE, 0);
  }
}
