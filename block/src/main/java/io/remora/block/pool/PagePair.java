package io.remora.block.pool;

import static io.remora.block.pool.Layout.PAGE_BYTES;
import static io.remora.block.pool.Layout.SECTORS_PER_PAGE;
import static io.remora.block.pool.Layout.SECTOR_BYTES;

import io.remora.block.Zeros;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Both copies of a page, compared sector by sector: of each sector the newer copy that holds counts. Reused for page after page;
 * belongs to the loop of its reader.
 *
 * <p>The masks have a bit for each of the eight sectors.
 */
final class PagePair {
  private static final int ALL = (1 << SECTORS_PER_PAGE) - 1;

  private final Sectors sectors;
  private final MemorySegment merged = Arena.ofAuto().allocate(PAGE_BYTES, PAGE_BYTES);
  private MemorySegment content = merged;
  private long contentAt;
  private int index;
  private final int[] broken = new int[AreaPlace.COPIES];
  private final int[] older = new int[AreaPlace.COPIES];
  private int conflicts;
  private long sequence;

  PagePair(Sectors sectors) {
    this.sectors = sectors;
  }

  /** The number of the page in its area. */
  int index() {
    return index;
  }

  /** What the page holds. A sector that holds in neither copy has the bytes of one of them. */
  MemorySegment content() {
    return content.asSlice(contentAt, PAGE_BYTES);
  }

  /** Sectors whose copy {@code copy} does not hold, or cannot be read. */
  int broken(int copy) {
    return broken[copy];
  }

  /** Sectors whose copy {@code copy} holds, but is older than the other. */
  int older(int copy) {
    return older[copy];
  }

  /** Sectors that hold in neither copy. */
  int lost() {
    return broken[0] & broken[1];
  }

  /** Sectors of which both copies hold and claim to be as old as each other, but differ. */
  int conflicts() {
    return conflicts;
  }

  /** The highest sequence of a sector that holds. */
  long sequence() {
    return sequence;
  }

  /** Whether one copy of some sector has to be written anew. */
  boolean uneven() {
    return (broken[0] | broken[1] | older[0] | older[1]) != 0;
  }

  /** Compares page {@code page}; false when both copies are zeros: it was never used. */
  boolean compare(int page, MemorySegment a, boolean readA, MemorySegment b, boolean readB, long at) {
    index = page;
    broken[0] = 0;
    broken[1] = 0;
    older[0] = 0;
    older[1] = 0;
    conflicts = 0;
    sequence = 0;
    boolean same = readA && readB && MemorySegment.mismatch(a, at, at + PAGE_BYTES, b, at, at + PAGE_BYTES) < 0;
    if (!same) {
      compareSectors(a, readA, b, readB, at);
      return true;
    }
    if (a.get(Layout.U64, at) == 0 && Zeros.equal(a, at, PAGE_BYTES)) {
      return false;
    }
    content = a;
    contentAt = at;
    long first = (long) page * SECTORS_PER_PAGE;
    for (int i = 0; i < SECTORS_PER_PAGE; i++) {
      long one = sectors.sequence(a, at + (long) i * SECTOR_BYTES, first + i);
      if (one == Sectors.BROKEN) {
        broken[0] |= 1 << i;
      }
      sequence = Math.max(sequence, one);
    }
    broken[1] = broken[0];
    return true;
  }

  private void compareSectors(MemorySegment a, boolean readA, MemorySegment b, boolean readB, long at) {
    content = merged;
    contentAt = 0;
    if (!readA && !readB) {
      merged.fill((byte) 0xFF);
      broken[0] = ALL;
      broken[1] = ALL;
      return;
    }
    for (int i = 0; i < SECTORS_PER_PAGE; i++) {
      long number = (long) index * SECTORS_PER_PAGE + i;
      long in = (long) i * SECTOR_BYTES;
      long one = readA ? sectors.sequence(a, at + in, number) : Sectors.BROKEN;
      long other = readB ? sectors.sequence(b, at + in, number) : Sectors.BROKEN;
      boolean second = one == other ? !readA : other > one;
      MemorySegment.copy(second ? b : a, at + in, merged, in, SECTOR_BYTES);
      note(1 << i, one, other);
      if (one == other && one != Sectors.BROKEN
          && MemorySegment.mismatch(a, at + in, at + in + SECTOR_BYTES, b, at + in, at + in + SECTOR_BYTES) >= 0) {
        conflicts |= 1 << i;
      }
    }
  }

  private void note(int bit, long one, long other) {
    broken[0] |= one == Sectors.BROKEN ? bit : 0;
    broken[1] |= other == Sectors.BROKEN ? bit : 0;
    older[0] |= one != Sectors.BROKEN && one < other ? bit : 0;
    older[1] |= other != Sectors.BROKEN && other < one ? bit : 0;
    sequence = Math.max(sequence, Math.max(one, other));
  }
}
