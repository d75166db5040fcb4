package io.remora.base;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * CRC32C (Castagnoli) over native memory, a piece at a time, with the processor's instruction. Belongs to one loop.
 *
 * <p>The JDK computes it over buffers only; a small table remembers the buffer of each segment seen, so that checksums over
 * memory that is used again and again allocate nothing.
 */
public final class Crc32c {
  private static final int VIEWS = 256;

  private final CRC32C crc = new CRC32C();
  /** By identity: {@link MemorySegment#equals} looks neither at the length nor at the scope. */
  private final @Nullable Object[] segments = new Object[VIEWS];
  private final @Nullable ByteBuffer[] views = new ByteBuffer[VIEWS];

  /** Begins a new checksum. */
  public void reset() {
    crc.reset();
  }

  /** Adds {@code length} bytes at {@code offset} of {@code segment}, which is at most 2 GiB - 1 long. */
  public void update(MemorySegment segment, long offset, long length) {
    ByteBuffer view = view(segment);
    int from = Math.toIntExact(offset);
    view.limit(Math.toIntExact(offset + length)).position(from);
    crc.update(view);
  }

  /** Adds {@code length} bytes of {@code list} from its byte {@code from} on. */
  public void update(Sgl list, long from, long length) {
    long skip = from;
    long left = length;
    for (int i = 0; left > 0; i++) {
      long pieceLength = list.length(i);
      if (skip >= pieceLength) {
        skip -= pieceLength;
        continue;
      }
      long take = Math.min(left, pieceLength - skip);
      update(list.segment(i), list.offset(i) + skip, take);
      left -= take;
      skip = 0;
    }
  }

  /** The checksum of what was added since {@link #reset}. */
  public int value() {
    return (int) crc.getValue();
  }

  /** The checksum of {@code length} bytes at {@code offset} of {@code segment}; forgets what was added before. */
  public int of(MemorySegment segment, long offset, long length) {
    reset();
    update(segment, offset, length);
    return value();
  }

  private ByteBuffer view(MemorySegment segment) {
    int slot = (int) (segment.address() >>> 12 ^ segment.address() >>> 20) & VIEWS - 1;
    ByteBuffer view = views[slot];
    if (view == null || segments[slot] != segment) {
      view = segment.asByteBuffer();
      segments[slot] = segment;
      views[slot] = view;
    }
    return view;
  }
}
