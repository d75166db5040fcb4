package io.remora.base;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A scatter-gather list: pieces of native memory in order. Mutable and reused; it grows to the longest list it has held and
 * allocates nothing after that. It does not own the memory. One thread at a time.
 */
public final class Sgl {
  private MemorySegment[] segments = new MemorySegment[4];
  private long[] offsets = new long[4];
  private long[] lengths = new long[4];
  private int first;
  private int end;
  private long totalBytes;

  /** Forgets all pieces. */
  public void clear() {
    Arrays.fill(segments, 0, end, null);
    first = 0;
    end = 0;
    totalBytes = 0;
  }

  /** Appends {@code length} bytes (0 adds nothing) at {@code offset} of {@code segment}. */
  public void add(MemorySegment segment, long offset, long length) {
    assert offset >= 0 && length >= 0 && offset + length <= segment.byteSize() : offset + "+" + length;
    if (length == 0) {
      return;
    }
    if (end == segments.length) {
      grow();
    }
    segments[end] = segment;
    offsets[end] = offset;
    lengths[end] = length;
    end++;
    totalBytes += length;
  }

  /** As {@link #add}; bytes that follow those of the last piece make it longer instead of adding another one. */
  public void append(MemorySegment segment, long offset, long length) {
    int last = end - 1;
    if (last >= first && segment.equals(segments[last])
        && segment.byteSize() == segments[last].byteSize() && offsets[last] + lengths[last] == offset) {
      assert length >= 0 && offset + length <= segment.byteSize() : offset + "+" + length;
      lengths[last] += length;
      totalBytes += length;
    } else {
      add(segment, offset, length);
    }
  }

  /** Appends {@code length} bytes of {@code other} from its byte {@code from} on. */
  public void addRange(Sgl other, long from, long length) {
    assert from >= 0 && length >= 0 && from + length <= other.totalBytes : from + "+" + length;
    long skip = from;
    long left = length;
    for (int i = other.first; i < other.end && left > 0; i++) {
      long pieceLength = other.lengths[i];
      if (skip >= pieceLength) {
        skip -= pieceLength;
        continue;
      }
      long take = Math.min(left, pieceLength - skip);
      add(other.segments[i], other.offsets[i] + skip, take);
      left -= take;
      skip = 0;
    }
  }

  /** Drops the first {@code bytes} bytes. */
  public void consume(long bytes) {
    assert bytes >= 0 && bytes <= totalBytes : bytes;
    totalBytes -= bytes;
    long left = bytes;
    while (left > 0) {
      long take = Math.min(left, lengths[first]);
      offsets[first] += take;
      lengths[first] -= take;
      left -= take;
      if (lengths[first] == 0) {
        segments[first] = null;
        first++;
      }
    }
    if (first == end) {
      first = 0;
      end = 0;
    }
  }

  /** The number of pieces. */
  public int count() {
    return end - first;
  }

  /** The memory of piece {@code index}. */
  public MemorySegment segment(int index) {
    return segments[first + index];
  }

  /** Where piece {@code index} begins in its segment, in bytes. */
  public long offset(int index) {
    return offsets[first + index];
  }

  /** The length of piece {@code index} in bytes, at least 1. */
  public long length(int index) {
    return lengths[first + index];
  }

  /** The address of piece {@code index}. */
  public long address(int index) {
    return segments[first + index].address() + offsets[first + index];
  }

  /** The sum of the lengths. */
  public long totalBytes() {
    return totalBytes;
  }

  /** Copies the list's bytes from byte {@code from} on into {@code target}. */
  public void copyTo(long from, MemorySegment target, long targetOffset, long length) {
    assert from >= 0 && from + length <= totalBytes;
    long skip = from;
    long done = 0;
    for (int i = first; i < end && done < length; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      long take = Math.min(length - done, lengths[i] - skip);
      MemorySegment.copy(segments[i], offsets[i] + skip, target, targetOffset + done, take);
      done += take;
      skip = 0;
    }
  }

  /** Copies {@code length} bytes of {@code source} into the list's memory from byte {@code from} on. */
  public void copyFrom(long from, MemorySegment source, long sourceOffset, long length) {
    assert from >= 0 && from + length <= totalBytes;
    long skip = from;
    long done = 0;
    for (int i = first; i < end && done < length; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      long take = Math.min(length - done, lengths[i] - skip);
      MemorySegment.copy(source, sourceOffset + done, segments[i], offsets[i] + skip, take);
      done += take;
      skip = 0;
    }
  }

  /** Whether the list's bytes from byte {@code from} on are those at {@code otherOffset} of {@code other}. */
  public boolean equalTo(long from, MemorySegment other, long otherOffset, long length) {
    assert from >= 0 && from + length <= totalBytes;
    long skip = from;
    long done = 0;
    for (int i = first; i < end && done < length; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      long take = Math.min(length - done, lengths[i] - skip);
      long at = offsets[i] + skip;
      if (MemorySegment.mismatch(segments[i], at, at + take, other, otherOffset + done,
          otherOffset + done + take) >= 0) {
        return false;
      }
      done += take;
      skip = 0;
    }
    return true;
  }

  /** Fills {@code length} bytes of the list's memory from byte {@code from} on with {@code value}. */
  public void fill(long from, long length, byte value) {
    assert from >= 0 && from + length <= totalBytes;
    long skip = from;
    long left = length;
    for (int i = first; i < end && left > 0; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      long take = Math.min(left, lengths[i] - skip);
      segments[i].asSlice(offsets[i] + skip, take).fill(value);
      left -= take;
      skip = 0;
    }
  }

  private void grow() {
    if (first > 0) {
      int count = end - first;
      System.arraycopy(segments, first, segments, 0, count);
      System.arraycopy(offsets, first, offsets, 0, count);
      System.arraycopy(lengths, first, lengths, 0, count);
      Arrays.fill(segments, count, end, null);
      first = 0;
      end = count;
      return;
    }
    segments = Arrays.copyOf(segments, end * 2);
    offsets = Arrays.copyOf(offsets, end * 2);
    lengths = Arrays.copyOf(lengths, end * 2);
  }
}
