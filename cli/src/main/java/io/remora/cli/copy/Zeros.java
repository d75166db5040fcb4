package io.remora.cli.copy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Finds zeros. */
final class Zeros {
  private Zeros() {}

  /** Whether {@code length} bytes at {@code offset} are all zero. */
  static boolean all(MemorySegment memory, long offset, long length) {
    long at = offset;
    long end = offset + length;
    for (; at + 8 <= end; at += 8) {
      if (memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at) != 0) {
        return false;
      }
    }
    for (; at < end; at++) {
      if (memory.get(ValueLayout.JAVA_BYTE, at) != 0) {
        return false;
      }
    }
    return true;
  }
}
