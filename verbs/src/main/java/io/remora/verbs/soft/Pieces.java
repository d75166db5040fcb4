package io.remora.verbs.soft;

import io.remora.base.Sgl;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.WorkRequest;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The memory of a request, copied from it at the post. Reused; belongs to its queue's loop. */
public final class Pieces {
  private final @Nullable MemorySegment[] segments;
  private final @Nullable SoftMemoryRegion[] regions;
  private final long[] offsets;
  private final int[] lengths;
  private int count;
  private long totalBytes;

  Pieces(int max) {
    this.segments = new MemorySegment[max];
    this.regions = new SoftMemoryRegion[max];
    this.offsets = new long[max];
    this.lengths = new int[max];
  }

  int capacity() {
    return segments.length;
  }

  void clear() {
    Arrays.fill(segments, 0, count, null);
    Arrays.fill(regions, 0, count, null);
    count = 0;
    totalBytes = 0;
  }

  void set(WorkRequest request) {
    clear();
    for (int i = 0; i < request.pieces(); i++) {
      add(request.region(i), request.offset(i), request.length(i));
    }
  }

  /** One piece that is no registered memory: inline data. */
  void set(MemorySegment segment, int length) {
    clear();
    if (length > 0) {
      segments[0] = segment;
      offsets[0] = 0;
      lengths[0] = length;
      count = 1;
      totalBytes = length;
    }
  }

  private void add(MemoryRegion region, long offset, int length) {
    segments[count] = region.segment();
    regions[count] = (SoftMemoryRegion) region;
    offsets[count] = offset;
    lengths[count] = length;
    count++;
    totalBytes += length;
  }

  /** The number of pieces. */
  public int count() {
    return count;
  }

  /** The sum of the lengths, in bytes. */
  public long totalBytes() {
    return totalBytes;
  }

  /** The memory of piece {@code index}. */
  public MemorySegment segment(int index) {
    MemorySegment segment = segments[index];
    assert segment != null;
    return segment;
  }

  /** The region of piece {@code index}; null for inline data. */
  public @Nullable SoftMemoryRegion region(int index) {
    return regions[index];
  }

  /** Where in its memory piece {@code index} begins, in bytes. */
  public long offset(int index) {
    return offsets[index];
  }

  /** The length of piece {@code index}, in bytes. */
  public int length(int index) {
    return lengths[index];
  }

  /** Whether all regions are still registered: looked at before the memory is touched. */
  public boolean open() {
    for (int i = 0; i < count; i++) {
      SoftMemoryRegion region = regions[i];
      if (region != null && !region.isOpen()) {
        return false;
      }
    }
    return true;
  }

  /** Appends {@code length} bytes from byte {@code from} on to {@code list}. */
  public void addTo(Sgl list, long from, long length) {
    long skip = from;
    long left = length;
    for (int i = 0; i < count && left > 0; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      long take = Math.min(left, lengths[i] - skip);
      list.add(segment(i), offsets[i] + skip, take);
      left -= take;
      skip = 0;
    }
    assert left == 0;
  }

  /** Copies {@code length} bytes of the pieces from byte {@code from} on to {@code target}. */
  public void copyTo(long from, MemorySegment target, long targetOffset, long length) {
    long skip = from;
    long done = 0;
    for (int i = 0; i < count && done < length; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      long take = Math.min(length - done, lengths[i] - skip);
      MemorySegment.copy(segment(i), offsets[i] + skip, target, targetOffset + done, take);
      done += take;
      skip = 0;
    }
    assert done == length;
  }

  /** Copies {@code length} bytes of {@code source} into the pieces from byte {@code from} on. */
  public void copyFrom(long from, MemorySegment source, long sourceOffset, long length) {
    long skip = from;
    long done = 0;
    for (int i = 0; i < count && done < length; i++) {
      if (skip >= lengths[i]) {
        skip -= lengths[i];
        continue;
      }
      long take = Math.min(length - done, lengths[i] - skip);
      MemorySegment.copy(source, sourceOffset + done, segment(i), offsets[i] + skip, take);
      done += take;
      skip = 0;
    }
    assert done == length;
  }
}
