package io.remora.verbs.ibverbs;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Native memory by plain addresses: what the C libraries hand out and take. Whoever calls knows that the memory is there. */
final class Memory {
  @SuppressWarnings("restricted")
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Memory() {}

  static byte getByte(long address) {
    return ALL.get(JAVA_BYTE, address);
  }

  static int getUnsignedByte(long address) {
    return ALL.get(JAVA_BYTE, address) & 0xff;
  }

  static int getUnsignedShort(long address) {
    return ALL.get(JAVA_SHORT, address) & 0xffff;
  }

  static int getInt(long address) {
    return ALL.get(JAVA_INT, address);
  }

  static long getLong(long address) {
    return ALL.get(JAVA_LONG, address);
  }

  static void putByte(long address, int value) {
    ALL.set(JAVA_BYTE, address, (byte) value);
  }

  static void putShort(long address, int value) {
    ALL.set(JAVA_SHORT, address, (short) value);
  }

  static void putInt(long address, int value) {
    ALL.set(JAVA_INT, address, value);
  }

  static void putLong(long address, long value) {
    ALL.set(JAVA_LONG, address, value);
  }

  static void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }

  static void copy(MemorySegment from, long to) {
    MemorySegment.copy(from, 0, ALL, to, from.byteSize());
  }

  static void zero(long address, long bytes) {
    ALL.asSlice(address, bytes).fill((byte) 0);
  }

  static byte[] bytes(long address, int count) {
    return ALL.asSlice(address, count).toArray(JAVA_BYTE);
  }

  /** The text at {@code address} up to its zero byte, at most {@code max} bytes. */
  static String text(long address, int max) {
    int length = 0;
    while (length < max && getByte(address + length) != 0) {
      length++;
    }
    return new String(bytes(address, length), StandardCharsets.UTF_8);
  }
}
