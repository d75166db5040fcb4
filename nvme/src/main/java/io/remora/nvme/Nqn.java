package io.remora.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** NVMe qualified names, and the 256-byte fields that hold them (NVMe Base 2.0, 4.5). */
public final class Nqn {
  /** The name under which every target lists its subsystems. */
  public static final String DISCOVERY = "nqn.2014-08.org.nvmexpress.discovery";

  /** The longest name, in bytes. */
  public static final int MAX_BYTES = 223;

  /** The length of a field that holds a name, in bytes. */
  public static final int FIELD_BYTES = 256;

  private Nqn() {}

  /** Whether {@code text} is {@code nqn.YYYY-MM.} and something behind it, in at most 223 printable bytes. */
  public static boolean valid(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length < 13 || bytes.length > MAX_BYTES || !text.startsWith("nqn.")) {
      return false;
    }
    for (byte b : bytes) {
      if ((b >= 0 && b <= ' ') || b == 0x7f) {
        return false;
      }
    }
    for (int i = 4; i < 12; i++) {
      char expected = i == 8 ? '-' : i == 11 ? '.' : '0';
      char c = text.charAt(i);
      if (expected == '0' ? c < '0' || c > '9' : c != expected) {
        return false;
      }
    }
    return true;
  }

  /**
   * Gives {@code text} back.
   *
   * @throws RemoraException {@link Status#INVALID} when it is not {@link #valid}
   */
  public static String check(String text) {
    if (!valid(text)) {
      throw new RemoraException(Status.INVALID,
          "'" + text + "' is not an NQN, for example nqn.2024-01.com.example:disk1 (at most 223 bytes)");
    }
    return text;
  }

  /** The name in the field at {@code base}; null when it is not {@link #valid} or does not end in the field. */
  public static @Nullable String read(MemorySegment s, long base) {
    String text = text(s, base);
    return text != null && valid(text) ? text : null;
  }

  /** What the field at {@code base} holds, be it a name or not; null when it is longer than a name or does not end. */
  public static @Nullable String text(MemorySegment s, long base) {
    int length = 0;
    while (length <= MAX_BYTES && s.get(JAVA_BYTE, base + length) != 0) {
      length++;
    }
    return length > MAX_BYTES ? null : new String(s.asSlice(base, length).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
  }

  /** Writes a name into the field at {@code base}, padded with zeros. */
  public static void write(MemorySegment s, long base, String nqn) {
    byte[] bytes = nqn.getBytes(StandardCharsets.UTF_8);
    s.asSlice(base, FIELD_BYTES).fill((byte) 0);
    MemorySegment.copy(bytes, 0, s, JAVA_BYTE, base, bytes.length);
  }
}
