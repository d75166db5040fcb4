package io.remora.verbs.tck;

import static io.remora.verbs.tck.NativeCall.call;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.verbs.Capability;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Many addresses over little memory: the same pages again and again, so that a device that locks what it registers locks few. */
final class Sparse {
  /** No divisor of 4 GiB: an address that loses its upper half must lead to another page. */
  private static final long CHUNK = 12L << 20;
  private static final int READ_WRITE = 3;
  private static final int SHARED_FIXED = 0x11;
  private static final int PRIVATE_ANONYMOUS_NORESERVE = 0x4022;

  private Sparse() {}

  /** Null when the device registers only memory of its own, of which so much would be real. */
  @SuppressWarnings("restricted")
  static @Nullable MemorySegment map(Fabric fabric, End end, long bytes) {
    if (!end.can(Capability.ANY_MEMORY)) {
      return null;
    }
    int file = (int) call("memfd_create", JAVA_INT, List.of(ADDRESS, JAVA_INT), end.arena.allocateFrom("tck"), 0);
    call("ftruncate", JAVA_INT, List.of(JAVA_INT, JAVA_LONG), file, CHUNK);
    long base = map(0, bytes, 0, PRIVATE_ANONYMOUS_NORESERVE, -1);
    for (long at = 0; at < bytes; at += CHUNK) {
      map(base + at, Math.min(CHUNK, bytes - at), READ_WRITE, SHARED_FIXED, file);
    }
    call("close", JAVA_INT, List.of(JAVA_INT), file);
    return MemorySegment.ofAddress(base).reinterpret(bytes, end.arena,
        all -> call("munmap", JAVA_INT, List.of(JAVA_LONG, JAVA_LONG), all.address(), bytes));
  }

  private static long map(long at, long bytes, int rights, int flags, int file) {
    long address = call("mmap", JAVA_LONG, List.of(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG), at,
        bytes, rights, flags, file, 0L);
    if (address == -1) {
      throw new AssertionError("cannot map " + bytes + " bytes");
    }
    return address;
  }
}
