package io.remora.verbs;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A receive work request: memory for one message of a peer's. Reusable like {@link SendRequest}: the object is free after the post, the memory belongs
 * to the device until the receive completes, and needs {@link Access#LOCAL_WRITE}.
 */
public final class ReceiveRequest {
  /**
   * So many bytes in front of a received datagram (UD) are the device's, for a global route header or nothing; they count in {@link
   * WorkCompletions#lengthBytes} and need room in the receive.
   */
  public static final int ROUTE_HEADER_BYTES = 40;

  private long id;
  private final @Nullable MemoryRegion[] regions;
  private final long[] offsets;
  private final int[] lengths;
  private int count;
  private long totalBytes;

  /** A request of up to four pieces. */
  public ReceiveRequest() {
    this(4);
  }

  /** A request of up to {@code maxPieces} pieces, 1 to {@link SendRequest#MAX_PIECES}. */
  public ReceiveRequest(int maxPieces) {
    this.regions = new MemoryRegion[maxPieces];
    this.offsets = new long[maxPieces];
    this.lengths = new int[maxPieces];
  }

  /** What its completion brings back; the caller's own. */
  public ReceiveRequest id(long value) {
    id = value;
    return this;
  }

  /** Forgets all pieces. A receive without memory is good for immediate data and empty messages. */
  public ReceiveRequest clear() {
    Arrays.fill(regions, 0, count, null);
    count = 0;
    totalBytes = 0;
    return this;
  }

  /** Appends {@code length} bytes (0 adds nothing; below 2 GiB) at {@code offset} of {@code region}. */
  public ReceiveRequest add(MemoryRegion region, long offset, int length) {
    if (length != 0) {
      regions[count] = region;
      offsets[count] = offset;
      lengths[count] = length;
      count++;
      totalBytes += length;
    }
    return this;
  }

  /** The same as {@link #clear} and one {@link #add}. */
  public ReceiveRequest piece(MemoryRegion region, long offset, int length) {
    return clear().add(region, offset, length);
  }

  public long id() {
    return id;
  }

  /** The number of pieces. */
  public int pieces() {
    return count;
  }

  /** Where piece {@code index} lies. */
  public MemoryRegion region(int index) {
    MemoryRegion region = regions[index];
    assert region != null && index < count;
    return region;
  }

  /** Where in its region piece {@code index} begins, in bytes. */
  public long offset(int index) {
    return offsets[index];
  }

  /** The length of piece {@code index}, in bytes. */
  public int length(int index) {
    return lengths[index];
  }

  /** The sum of the lengths, in bytes. */
  public long totalBytes() {
    return totalBytes;
  }
}
