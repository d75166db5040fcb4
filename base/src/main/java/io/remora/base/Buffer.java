package io.remora.base;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A piece of native I/O memory from a {@link BufferPool}: 4 KiB aligned, of a power-of-two size, with whatever it held before.
 * It belongs to whoever took it, until {@link #release}; all calls on the pool's loop.
 */
public final class Buffer {
  final BufferArena arena;
  final int index;
  final int order;
  private final MemorySegment segment;
  BufferPool.@Nullable Owner owner;
  @Nullable
  Throwable takenAt;

  Buffer(BufferArena arena, int index, int order, MemorySegment segment) {
    this.arena = arena;
    this.index = index;
    this.order = order;
    this.segment = segment;
  }

  /** Its memory; not to be touched after {@link #release}. */
  public MemorySegment segment() {
    return segment;
  }

  /** Its size in bytes, at least what was asked for. */
  public long sizeBytes() {
    return segment.byteSize();
  }

  /** Gives it back; requests that wait for memory are served at the end of this turn of the loop. */
  public void release() {
    arena.pool.release(this);
  }
}
