package io.remora.base.linux;

import io.remora.base.RemoraException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An arena whose large pieces are memory that other processes can map, where the kernel has such memory. From any thread. */
final class SharedArena implements Arena {
  /** Smaller pieces are not worth pages and a descriptor of their own. */
  private static final long MIN_SHARED_BYTES = 64 << 10;
  private static final long PAGE_BYTES = 4096;

  private final Arena arena = Arena.ofShared();

  @Override
  public MemorySegment allocate(long byteSize, long byteAlignment) {
    if (byteSize >= MIN_SHARED_BYTES && byteAlignment <= PAGE_BYTES) {
      try {
        return Memfds.allocate(arena, byteSize, true);
      } catch (RemoraException e) {
        return switch (e.status()) {
          // No descriptor is free, or the kernel has none such: it works without, for all but shared memory.
          case NO_RESOURCES, UNSUPPORTED, DENIED, INVALID -> arena.allocate(byteSize, byteAlignment);
          default -> throw new OutOfMemoryError(e.getMessage());
        };
      }
    }
    return arena.allocate(byteSize, byteAlignment);
  }

  @Override
  public MemorySegment.Scope scope() {
    return arena.scope();
  }

  @Override
  public void close() {
    arena.close();
  }
}
