package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.remora.base.Check;
import io.remora.base.Local;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Reads and writes {@code struct sockaddr_un} with names of the abstract namespace, which begin with a zero. */
final class UnixNames {
  static final int BYTES = 110;
  private static final int NAME_AT = 3;

  private UnixNames() {}

  /** Writes {@code name} and returns the length of the structure. */
  static int write(String name, MemorySegment target) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    Check.argument(bytes.length >= 1 && bytes.length <= Local.MAX_NAME_BYTES, "name of %d bytes: 1 to %d", bytes.length,
        Local.MAX_NAME_BYTES);
    target.set(JAVA_SHORT, 0, (short) Abi.AF_UNIX);
    target.set(JAVA_BYTE, 2, (byte) 0);
    MemorySegment.copy(bytes, 0, target, JAVA_BYTE, NAME_AT, bytes.length);
    return NAME_AT + bytes.length;
  }

  /** The name in a structure of {@code length} bytes; null when it has none that is abstract. */
  static @Nullable String read(MemorySegment source, int length) {
    if (length <= NAME_AT || length > BYTES || source.get(JAVA_BYTE, 2) != 0) {
      return null;
    }
    byte[] bytes = new byte[length - NAME_AT];
    MemorySegment.copy(source, JAVA_BYTE, NAME_AT, bytes, 0, bytes.length);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
