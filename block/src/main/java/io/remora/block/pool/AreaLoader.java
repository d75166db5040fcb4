package io.remora.block.pool;

import io.remora.base.Status;
import io.remora.block.Zeros;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pages of an area that are in use, both copies, and takes of each sector the newer one that holds. On the pool's loop.
 *
 * <p>A copy that is older, or does not hold, is written anew. A sector that holds in neither copy keeps its bytes and is reported in
 * {@link Sink}.
 */
final class AreaLoader {
  private static final int CHUNK_PAGES = 256;
  private static final int LANES = 4;

  private final Pool pool;
  private final MetaArea area;
  private final int used;
  private final String what;
  private final Sink sink;
  private int nextPage;

  /** Takes pages that hold anything, in any order; {@code content} is the loader's again afterwards. A bit for each lost sector. */
  interface Sink {
    void loaded(Page page, MemorySegment content, int damagedSectors);
  }

  AreaLoader(Pool pool, MetaArea area, int used, String what, Sink sink) {
    this.pool = pool;
    this.area = area;
    this.used = used;
    this.what = what;
    this.sink = sink;
  }

  CompletableFuture<Void> load() {
    int lanes = Math.min(LANES, (used + CHUNK_PAGES - 1) / CHUNK_PAGES);
    CompletableFuture<?>[] ends = new CompletableFuture<?>[lanes];
    for (int i = 0; i < lanes; i++) {
      ends[i] = new Lane().next();
    }
    return CompletableFuture.allOf(ends);
  }

  /** One chunk after the other, with a buffer for each copy. */
  private final class Lane {
    private final long bytes = (long) Math.min(CHUNK_PAGES, used) * Layout.PAGE_BYTES;
    private final MemorySegment copyA = Arena.ofAuto().allocate(bytes, Layout.PAGE_BYTES);
    private final MemorySegment copyB = Arena.ofAuto().allocate(bytes, Layout.PAGE_BYTES);
    private final MemorySegment merged = Arena.ofAuto().allocate(Layout.PAGE_BYTES, Layout.PAGE_BYTES);
    private final BitSet unreadA = new BitSet();
    private final BitSet unreadB = new BitSet();

    CompletableFuture<Void> next() {
      if (nextPage >= used) {
        return CompletableFuture.completedFuture(null);
      }
      int first = nextPage;
      int pages = Math.min(CHUNK_PAGES, used - first);
      nextPage += pages;
      CompletableFuture<Void> other = read(area.offsetB, first, pages, copyB, unreadB);
      return read(area.offsetA, first, pages, copyA, unreadA).thenCompose(_ -> other).thenCompose(_ -> {
        for (int i = 0; i < pages; i++) {
          merge(first + i, (long) i * Layout.PAGE_BYTES, unreadA.get(i), unreadB.get(i));
        }
        return next();
      });
    }

    /** Reads all at once; when that fails, page by page, to lose no more than the disk has. */
    private CompletableFuture<Void> read(long offset, int first, int pages, MemorySegment into, BitSet unread) {
      unread.clear();
      long at = offset + (long) first * Layout.PAGE_BYTES;
      return area.disk.read(at, into, (long) pages * Layout.PAGE_BYTES)
          .exceptionallyCompose(failure -> PoolDisk.status(failure) == Status.MEDIUM_ERROR
              ? readPages(at, 0, pages, into, unread)
              : CompletableFuture.failedFuture(failure));
    }

    private CompletableFuture<Void> readPages(long at, int page, int pages, MemorySegment into, BitSet unread) {
      if (page == pages) {
        return CompletableFuture.completedFuture(null);
      }
      long inChunk = (long) page * Layout.PAGE_BYTES;
      return area.disk.read(at + inChunk, into.asSlice(inChunk), Layout.PAGE_BYTES).handle((_, failure) -> {
        if (failure != null) {
          unread.set(page);
        }
        return null;
      }).thenCompose(_ -> readPages(at, page + 1, pages, into, unread));
    }

    private void merge(int index, long at, boolean lostA, boolean lostB) {
      if (!lostA && !lostB && Zeros.equal(copyA, at, Layout.PAGE_BYTES) && Zeros.equal(copyB, at, Layout.PAGE_BYTES)) {
        return;
      }
      Page page = area.page(index);
      int damaged = 0;
      for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
        long number = (long) index * Layout.SECTORS_PER_PAGE + i;
        long in = (long) i * Layout.SECTOR_BYTES;
        long a = lostA ? Sectors.BROKEN : area.sectors.sequence(copyA, at + in, number);
        long b = lostB ? Sectors.BROKEN : area.sectors.sequence(copyB, at + in, number);
        MemorySegment winner = a >= b ? copyA : copyB;
        if (a == Sectors.BROKEN && b == Sectors.BROKEN) {
          damaged |= 1 << i;
          lost(i, number, lostA ? (lostB ? null : copyB) : copyA, at + in);
        } else {
          MemorySegment.copy(winner, at + in, merged, in, Layout.SECTOR_BYTES);
          pool.sawSequence(Math.max(a, b));
          repair(page, i, number, a, b);
        }
      }
      page.load(merged);
      sink.loaded(page, merged, damaged);
    }

    private void lost(int sector, long number, @Nullable MemorySegment bytes,
        long at) {
      pool.addProblem("%s: sector %d of the %s is broken in both copies".formatted(area.disk.path(), number, what));
      MemorySegment image = merged.asSlice((long) sector * Layout.SECTOR_BYTES, Layout.SECTOR_BYTES);
      if (bytes == null) {
        image.fill((byte) 0xFF);
      } else {
        image.copyFrom(bytes.asSlice(at, Layout.SECTOR_BYTES));
      }
    }

    private void repair(Page page, int sector, long number, long a, long b) {
      if (a == b) {
        return;
      }
      if (a == Sectors.BROKEN || b == Sectors.BROKEN) {
        pool.addProblem("%s: sector %d of the %s was broken in its %s copy; the other one served".formatted(
            area.disk.path(), number, what, a == Sectors.BROKEN ? "first" : "second"));
      }
      area.changed(page, sector);
    }
  }
}
