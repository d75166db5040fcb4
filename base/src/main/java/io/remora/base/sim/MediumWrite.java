package io.remora.base.sim;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * One change of a file's content, as it was submitted; immutable.
 *
 * @param id counts the writes of a disk
 * @param path the file
 * @param fileId which file of that name: names can be deleted and made again
 * @param offset where it goes, in bytes
 * @param length how long it is, in bytes
 * @param data what is written, or null for zeros
 * @param punch whether the zeros give space back
 * @param fua whether it is durable when it completes
 */
record MediumWrite(long id, Path path, long fileId, long offset, long length, @Nullable MemorySegment data,
    boolean punch,
    boolean fua) {
  /** What survives or is lost as one: the atom of every disk. */
  static final int SECTOR_BYTES = 512;

  /** How many sectors it changes. */
  int sectors() {
    return (int) (length / SECTOR_BYTES);
  }

  /** Writes the sectors of {@code which} into {@code bytes}. */
  void apply(SparseBytes bytes, BitSet which) {
    for (int from = which.nextSetBit(0); from >= 0;) {
      int to = which.nextClearBit(from);
      apply(bytes, (long) from * SECTOR_BYTES, (long) (to - from) * SECTOR_BYTES);
      from = which.nextSetBit(to);
    }
  }

  /** Writes all of it into {@code bytes}. */
  void apply(SparseBytes bytes) {
    apply(bytes, 0, length);
  }

  /** Removes from {@code which} the sectors that {@code later} has written again. */
  void removeOverlap(BitSet which, MediumWrite later) {
    long from = Math.max(offset, later.offset);
    long to = Math.min(offset + length, later.offset + later.length);
    if (from < to) {
      which.clear((int) ((from - offset) / SECTOR_BYTES), (int) ((to - offset) / SECTOR_BYTES));
    }
  }

  private void apply(SparseBytes bytes, long from, long count) {
    if (data != null) {
      bytes.write(offset + from, data.asSlice(from, count));
    } else if (punch) {
      bytes.punch(offset + from, count);
    } else {
      bytes.zero(offset + from, count);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof MediumWrite write && write.id == id;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(id);
  }

  @Override
  public String toString() {
    return (data != null ? "write " : punch ? "deallocate " : "zeroes ") + path + " " + offset + "+" + length
        + (fua ? " FUA" : "");
  }
}
