package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.remora.base.Check;
import io.remora.base.Local;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Writes {@code struct sockaddr_un} with names of the abstract namespace, which begin with a zero. */
final class UnixNames {
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
}
