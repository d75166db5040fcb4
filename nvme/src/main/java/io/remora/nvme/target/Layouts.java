package io.remora.nvme.target;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** How values stand in NVMe structures. */
final class Layouts {
  static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong BE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private Layouts() {}

  static void set8(MemorySegment s, long offset, int value) {
    s.set(JAVA_BYTE, offset, (byte) value);
  }

  /** ASCII, padded with spaces to {@code length}. */
  static void text(MemorySegment s, long offset, int length, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < length; i++) {
      s.set(JAVA_BYTE, offset + i, i < bytes.length ? bytes[i] : (byte) ' ');
    }
  }

  /** The 16 bytes of a UUID in the order in which it is written; an NGUID too. */
  static void uuid(MemorySegment s, long offset, UUID uuid) {
    s.set(BE64, offset, uuid.getMostSignificantBits());
    s.set(BE64, offset + 8, uuid.getLeastSignificantBits());
  }
}
