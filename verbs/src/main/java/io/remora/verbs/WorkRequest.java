package io.remora.verbs;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What send and receive work requests ({@code ibv_send_wr}, {@code ibv_recv_wr}) have in common: an id, and a scatter/gather list of pieces of registered memory.
 * Mutable, one thread at a time, allocates nothing after construction.
 */
public abstract sealed class WorkRequest permits SendRequest, ReceiveRequest {
  /** As many pieces as any device takes. */
  public static final int MAX_PIECES = 32;

  private final @Nullable MemoryRegion[] regions;
  private final long[] offsets;
  private final int[] lengths;
  private long id;
  private int count;
  private long totalBytes;

  WorkRequest(int maxPieces) {
    this.regions = new MemoryRegion[maxPieces];
    this.offsets = new long[maxPieces];
    this.lengths = new int[maxPieces];
  }

  final void setId(long value) {
    id = value;
  }

  final void removePieces() {
    Arrays.fill(regions, 0, count, null);
    count = 0;
    totalBytes = 0;
  }

  final void addPiece(MemoryRegion region, long offset, int length) {
    if (length != 0) {
      regions[count] = region;
      offsets[count] = offset;
      lengths[count] = length;
      count++;
      totalBytes += length;
    }
  }

  /** What its completion brings back; the caller's own. */
  public final long id() {
    return id;
  }

  /** The number of pieces. */
  public final int pieces() {
    return count;
  }

  /** Where piece {@code index} lies. */
  public final MemoryRegion region(int index) {
    MemoryRegion region = regions[index];
    assert region != null && index < count;
    return region;
  }

  /** Where in its region piece {@code index} begins, in bytes. */
  public final long offset(int index) {
    return offsets[index];
  }

  /** The length of piece {@code index}, in bytes. */
  public final int length(int index) {
    return lengths[index];
  }

  /** The sum of the lengths, in bytes. */
  public final long totalBytes() {
    return totalBytes;
  }
}
