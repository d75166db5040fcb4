package io.remora.block.pool;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;

/**
 * Loads the pages of an area that are in use into memory. On the pool's loop.
 *
 * <p>A copy that is older, or does not hold, is written anew. A sector that holds in neither copy keeps its bytes and is reported in
 * {@link Sink}.
 */
final class AreaLoader {
  private final Pool pool;
  private final MetaArea area;
  private final int used;
  private final Sink sink;

  /** Takes pages that hold anything, in any order; {@code content} is the loader's again afterwards. A bit for each lost sector. */
  interface Sink {
    void loaded(Page page, MemorySegment content, int damagedSectors);
  }

  AreaLoader(Pool pool, MetaArea area, int used, Sink sink) {
    this.pool = pool;
    this.area = area;
    this.used = used;
    this.sink = sink;
  }

  CompletableFuture<Void> load() {
    return new AreaReader(area.place, area.sectors, used, this::take).read();
  }

  private void take(PagePair pair) {
    Page page = area.page(pair.index());
    MemorySegment content = pair.content();
    page.load(content);
    pool.sawSequence(pair.sequence());
    if (pair.uneven() || pair.conflicts() != 0) {
      repair(page, pair);
    }
    sink.loaded(page, content, pair.lost());
  }

  private void repair(Page page, PagePair pair) {
    for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
      int bit = 1 << i;
      long number = (long) page.index * Layout.SECTORS_PER_PAGE + i;
      boolean first = (pair.broken(0) & bit) != 0;
      boolean second = (pair.broken(1) & bit) != 0;
      if (first && second) {
        pool.addProblem("%s: sector %d of the %s is broken in both copies".formatted(area.disk.path(), number,
            area.place.what()));
        continue;
      }
      if (first || second) {
        pool.addProblem("%s: sector %d of the %s was broken in its %s copy; the other one served".formatted(
            area.disk.path(), number, area.place.what(), first ? "first" : "second"));
      }
      if ((pair.conflicts() & bit) != 0) {
        pool.addProblem("%s: both copies of sector %d of the %s held and differed; the first served".formatted(
            area.disk.path(), number, area.place.what()));
      }
      if (first || second || ((pair.older(0) | pair.older(1) | pair.conflicts()) & bit) != 0) {
        area.changed(page, i);
      }
    }
  }
}
