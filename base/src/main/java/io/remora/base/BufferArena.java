package io.remora.base;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One large piece of native memory, divided by the buddy system: a block of order {@code k} is {@code MIN_BYTES << k} long and
 * begins at a multiple of its length. Belongs to one {@link BufferPool}.
 *
 * <p>Invariant: {@code state} holds, at the first unit of every block, its order, with {@code FREE} added while it is free; the
 * other units of a block hold {@code INSIDE}. Two free buddies never stand side by side: they have been merged.
 */
final class BufferArena {
  static final int MIN_BYTES = 4096;
  private static final byte INSIDE = -1;
  private static final byte FREE = 64;
  private static final int NONE = -1;

  final BufferPool pool;
  private final Arena memory;
  private final MemorySegment segment;
  private final int maxOrder;
  private final byte[] state;
  private final int[] next;
  private final int[] previous;
  private final int[] heads;
  private final @Nullable Buffer[][] handles;
  private long usedBytes;

  BufferArena(BufferPool pool, long bytes) {
    this.pool = pool;
    this.memory = pool.loop().newArena();
    this.segment = memory.allocate(bytes, MIN_BYTES);
    int units = Math.toIntExact(bytes / MIN_BYTES);
    this.maxOrder = Integer.numberOfTrailingZeros(units);
    this.state = new byte[units];
    this.next = new int[units];
    this.previous = new int[units];
    this.heads = new int[maxOrder + 1];
    this.handles = new Buffer[maxOrder + 1][];
    Arrays.fill(state, INSIDE);
    Arrays.fill(heads, NONE);
    push(0, maxOrder);
  }

  /** All its memory. */
  MemorySegment segment() {
    return segment;
  }

  long usedBytes() {
    return usedBytes;
  }

  long sizeBytes() {
    return segment.byteSize();
  }

  /** A block of {@code order}, or null when none is free. */
  @Nullable
  Buffer take(int order) {
    int from = order;
    while (from <= maxOrder && heads[from] == NONE) {
      from++;
    }
    if (from > maxOrder) {
      return null;
    }
    int index = heads[from];
    unlink(index, from);
    while (from > order) {
      from--;
      push(index + (1 << from), from);
    }
    state[index] = (byte) order;
    usedBytes += (long) MIN_BYTES << order;
    return handle(index, order);
  }

  void give(Buffer buffer) {
    int index = buffer.index;
    int order = buffer.order;
    Check.that(state[index] == order, "buffer released twice");
    usedBytes -= (long) MIN_BYTES << order;
    while (order < maxOrder) {
      int buddy = index ^ (1 << order);
      if (state[buddy] != (byte) (order | FREE)) {
        break;
      }
      unlink(buddy, order);
      state[Math.max(index, buddy)] = INSIDE;
      index = Math.min(index, buddy);
      order++;
    }
    push(index, order);
  }

  void free() {
    memory.close();
  }

  /** Appends where each buffer was taken that is out, as far as that was recorded. */
  void appendTraces(StringBuilder text) {
    for (@Nullable
    Buffer[] ofOrder : handles) {
      if (ofOrder == null) {
        continue;
      }
      for (Buffer buffer : ofOrder) {
        Throwable takenAt = buffer == null ? null : buffer.takenAt;
        if (takenAt != null) {
          text.append(takenAt.getMessage()).append('\n');
          for (StackTraceElement element : takenAt.getStackTrace()) {
            text.append("    at ").append(element).append('\n');
          }
        }
      }
    }
  }

  private Buffer handle(int index, int order) {
    @Nullable
    Buffer[] ofOrder = handles[order];
    if (ofOrder == null) {
      ofOrder = new Buffer[state.length >> order];
      handles[order] = ofOrder;
    }
    Buffer handle = ofOrder[index >> order];
    if (handle == null) {
      handle = new Buffer(this, index, order, segment.asSlice((long) index * MIN_BYTES, (long) MIN_BYTES << order));
      ofOrder[index >> order] = handle;
    }
    return handle;
  }

  private void push(int index, int order) {
    state[index] = (byte) (order | FREE);
    int head = heads[order];
    next[index] = head;
    previous[index] = NONE;
    if (head != NONE) {
      previous[head] = index;
    }
    heads[order] = index;
  }

  private void unlink(int index, int order) {
    int before = previous[index];
    int after = next[index];
    if (before == NONE) {
      heads[order] = after;
    } else {
      next[before] = after;
    }
    if (after != NONE) {
      previous[after] = before;
    }
    state[index] = INSIDE;
  }
}
