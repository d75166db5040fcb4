package io.remora.verbs.ibverbs;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import org.jspecify.annotations.Nullable;

/** What the provider needs of the C library beside the two RDMA libraries. From any thread. */
final class SystemLibrary {
  private static final int R_OK = 4;
  private static final int W_OK = 2;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int O_NONBLOCK = 2048;
  private static final int MAX_PATH = 4096;

  private final NativeFunction access;
  private final NativeFunction readlink;
  private final NativeFunction fcntl;

  SystemLibrary() {
    SymbolLookup library = Linker.nativeLinker().defaultLookup();
    access = NativeFunction.status(library, "access", "LI");
    readlink = NativeFunction.count(library, "readlink", "LLL");
    fcntl = NativeFunction.variadic(library, "fcntl", "IIL", 2);
  }

  /** 0 when this process may read and write the file, or the negated error number. */
  int mayOpen(String path) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) access.call(arena.allocateFrom(path).address(), R_OK | W_OK);
    }
  }

  /** The last name of what the link leads to; null when there is no such link. */
  @Nullable
  String linkedName(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(MAX_PATH);
      long length = readlink.call(arena.allocateFrom(path).address(), target.address(), MAX_PATH);
      if (length < 0) {
        return null;
      }
      String text = Memory.text(target.address(), (int) length);
      return text.substring(text.lastIndexOf('/') + 1);
    }
  }

  /** From now on reads of {@code descriptor} do not wait. 0, or the negated error number. */
  int setNonBlocking(int descriptor) {
    long flags = fcntl.call(descriptor, F_GETFL);
    return (int) (flags < 0 ? flags : Math.min(0, fcntl.call(descriptor, F_SETFL, flags | O_NONBLOCK)));
  }
}
