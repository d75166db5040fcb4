package io.remora.block.pool;

import io.remora.base.Status;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Which pages of metadata of one disk are not in their own place, because the disk cannot write there: they lie between the labels,
 * and the label says so. Belongs to the pool's loop.
 *
 * <p>A place is never used twice: what could not be written there once may not be read there either.
 */
final class PageMoves {
  private static final int SPARES_EACH = (int) ((Layout.LABEL_B - Layout.PAGE_BYTES) / Layout.PAGE_BYTES);
  private static final int SPARES = 2 * SPARES_EACH;

  private final PoolDisk disk;
  private final List<Label.Move> moves = new ArrayList<>();
  private final BitSet taken = new BitSet();

  PageMoves(PoolDisk disk) {
    this.disk = disk;
  }

  /** Where spare page {@code spare} is: behind the first label, then behind the second. */
  static long offset(int spare) {
    long base = spare < SPARES_EACH ? Layout.LABEL_A : Layout.LABEL_B;
    return base + (1L + spare % SPARES_EACH) * Layout.PAGE_BYTES;
  }

  /** Whether a label may say this of a disk with these regions. */
  static boolean valid(Label.Move move, List<Label.RegionEntry> regions) {
    if (move.region() >= regions.size() || move.spare() < 0 || move.spare() >= SPARES) {
      return false;
    }
    RegionShape shape = regions.get(move.region()).shape();
    return move.page() >= 0 && move.page() < (move.kind() == Sectors.SLOT ? shape.slotPages() : shape.tablePages());
  }

  List<Label.Move> all() {
    return List.copyOf(moves);
  }

  int count() {
    return moves.size();
  }

  /** The label says that {@code found} have moved. All regions are there. */
  void adopt(List<Label.Move> found) {
    for (Label.Move move : found) {
      Region region = disk.regions().get(move.region());
      (move.kind() == Sectors.SLOT ? region.slots : region.table).place.move(move.copy(), move.page(),
          offset(move.spare()));
      taken.set(move.spare());
      moves.add(move);
    }
  }

  /** Gives a copy of a page another place, which the label does not know yet; false when there is none left. */
  boolean move(MetaArea area, int copy, int page) {
    int spare = taken.nextClearBit(0);
    int region = regionOf(area);
    moves.removeIf(old -> old.region() == region && old.kind() == area.place.kind && old.copy() == copy
        && old.page() == page);
    if (spare >= SPARES || moves.size() >= Label.MAX_MOVES) {
      return false;
    }
    taken.set(spare);
    moves.add(new Label.Move(region, area.place.kind, copy, page, spare));
    area.place.move(copy, page, offset(spare));
    return true;
  }

  private int regionOf(MetaArea area) {
    for (int i = 0; i < disk.regions().size(); i++) {
      Region region = disk.regions().get(i);
      if (region.slots == area || region.table == area) {
        return i;
      }
    }
    throw new IllegalStateException("area of no region of " + disk.path());
  }

  /**
   * Makes both copies of pages that were never used zeros, by writing: then a file has space for them, and no later write of theirs
   * can lack it. Those that cannot be written move. The label is not written.
   */
  CompletableFuture<Void> zero(MetaArea area, int from, int pages) {
    return zero(area, 0, from, pages).thenCompose(_ -> zero(area, 1, from, pages)).thenCompose(_ -> disk.flush());
  }

  private CompletableFuture<Void> zero(MetaArea area, int copy, int from, int pages) {
    return disk.fill(area.place.start(copy) + (long) from * Layout.PAGE_BYTES, (long) pages * Layout.PAGE_BYTES)
        .exceptionallyCompose(failure -> PoolDisk.status(failure) == Status.MEDIUM_ERROR
            ? zeroEach(area, copy, from, from + pages)
            : CompletableFuture.failedFuture(failure));
  }

  private CompletableFuture<Void> zeroEach(MetaArea area, int copy, int page, int end) {
    if (page == end) {
      return CompletableFuture.completedFuture(null);
    }
    return disk.fill(area.place.at(copy, page), Layout.PAGE_BYTES).thenApply(_ -> page + 1)
        .exceptionallyCompose(failure -> PoolDisk.status(failure) == Status.MEDIUM_ERROR && move(area, copy, page)
            ? CompletableFuture.completedFuture(page)
            : CompletableFuture.failedFuture(failure))
        .thenCompose(next -> zeroEach(area, copy, next, end));
  }
}
