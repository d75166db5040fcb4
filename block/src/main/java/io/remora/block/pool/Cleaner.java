package io.remora.block.pool;

import io.remora.base.Status;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Makes free clusters of one disk clean, ahead of those who need them, one batch at a time. Belongs to the pool's loop.
 *
 * <p>A cluster that was freed passes, in this order: its entry is on the disk; all data I/O that was in flight has ended; a flush
 * (now no crash brings its old mapping back); zeros are written or its space is given back; a flush (now no crash brings its old
 * data back); it is clean. So what a volume gets is zeros on the medium.
 */
final class Cleaner {
  private static final int FREED_BATCH = 1024;
  private static final int STALE_BATCH = Space.LOW;
  private static final int PARALLEL = 8;
  /** One operation on the disk is at most this long. */
  private static final long MAX_RUN_BYTES = 256L << 20;
  /** After the host's file system had no space left, it is not asked again for so long. */
  private static final long STARVED_NS = 1_000_000_000L;

  private final Pool pool;
  private final PoolDisk disk;
  private final Runnable look = this::look;
  private boolean busy;
  private boolean scheduled;
  private @Nullable CompletableFuture<Void> idle;
  private boolean starved;
  private long starvedNs;

  Cleaner(Pool pool, PoolDisk disk) {
    this.pool = pool;
    this.disk = disk;
  }

  /** Whether something is under way. */
  boolean busy() {
    return busy || scheduled;
  }

  /** Whether the file system that the pool's file lies on had no space left a moment ago. */
  boolean starved() {
    if (starved && pool.loop().clock().nanoTime() - starvedNs >= STARVED_NS) {
      starved = false;
    }
    return starved;
  }

  /** Completes when nothing is under way; nothing new begins once the pool is closing. */
  CompletableFuture<Void> whenIdle() {
    if (!busy) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<Void> waiting = idle;
    if (waiting == null) {
      waiting = new CompletableFuture<>();
      idle = waiting;
    }
    return waiting;
  }

  /** Looks, at the end of this turn, whether there is something to do. */
  void kick() {
    if (!busy && !scheduled) {
      scheduled = true;
      pool.loop().defer(look);
    }
  }

  private void look() {
    scheduled = false;
    if (busy || pool.failed() || pool.closing()) {
      return;
    }
    CompletableFuture<Void> work = next();
    if (work == null) {
      // As long as this was scheduled there was hope for those who wait.
      pool.space().serve();
      return;
    }
    busy = true;
    work.whenComplete((_, failure) -> {
      busy = false;
      if (failure != null) {
        pool.fail(PoolDisk.status(failure), "cannot prepare clusters: " + failure.getMessage());
      }
      CompletableFuture<Void> waiting = idle;
      idle = null;
      if (waiting != null) {
        waiting.complete(null);
      }
      pool.space().serve();
      kick();
    });
  }

  /** The next thing to do; null when there is none. */
  private @Nullable CompletableFuture<Void> next() {
    for (Region region : disk.regions()) {
      // Space goes back to the host's file system without being asked for; zeros are written only for somebody who comes.
      if (!region.freed.isEmpty()
          && (disk.file().canDeallocate() || wanted(region) || pool.space().awaited())) {
        return clean(region, region.freed, FREED_BATCH);
      }
    }
    for (Region region : disk.regions()) {
      if (!wanted(region)) {
        continue;
      }
      if (region.shape.bornZero() && region.nextTablePages() > 0 && !starved()) {
        return extend(region);
      }
      if (!region.stale.isEmpty()) {
        return clean(region, region.stale, STALE_BATCH);
      }
      if (region.nextTablePages() > 0 && !starved()) {
        return extend(region);
      }
    }
    return null;
  }

  /** Nobody has asked before the first write after the import. */
  private boolean wanted(Region region) {
    return pool.allocating() && region.cleanCount() < Space.LOW;
  }

  /** Takes more of the table into use. */
  private CompletableFuture<Void> extend(Region region) {
    int from = region.tableUsed;
    int pages = region.nextTablePages();
    return pool.extend(region.table, region, from, pages, () -> region.tableUsed = from + pages).thenRun(() -> {
      int end = region.clustersIn(from + pages);
      for (int cluster = region.clustersIn(from); cluster < end; cluster++) {
        if (region.shape.bornZero()) {
          region.addClean(cluster);
        } else {
          region.stale.set(cluster);
        }
      }
    }).exceptionallyCompose(failure -> {
      if (PoolDisk.status(failure) != Status.NO_SPACE) {
        return CompletableFuture.failedFuture(failure);
      }
      starved = true;
      starvedNs = pool.loop().clock().nanoTime();
      return CompletableFuture.completedFuture(null);
    });
  }

  private CompletableFuture<Void> clean(Region region, BitSet from, int most) {
    List<Integer> batch = new ArrayList<>();
    for (int cluster = from.nextSetBit(0); cluster >= 0
        && batch.size() < most; cluster = from.nextSetBit(cluster + 1)) {
      batch.add(cluster);
      from.clear(cluster);
    }
    return written(region, batch).thenCompose(_ -> drained()).thenCompose(_ -> disk.flush())
        .thenCompose(_ -> {
          settled(region, batch);
          return zero(region, runs(batch));
        }).thenCompose(bad -> disk.flush().thenRun(() -> {
          for (int cluster : batch) {
            if (bad.get(cluster)) {
              pool.markBad(region, cluster);
            } else {
              region.cleaned(cluster);
            }
          }
        }));
  }

  private void settled(Region region, List<Integer> batch) {
    for (int cluster : batch) {
      if (region.unsettled.get(cluster)) {
        region.unsettled.clear(cluster);
        pool.space().settled(1);
      }
    }
  }

  /** That the entries of {@code batch} are on the disk. */
  private static CompletableFuture<Void> written(Region region, List<Integer> batch) {
    List<CompletableFuture<Void>> pages = new ArrayList<>();
    int last = -1;
    for (int cluster : batch) {
      int index = cluster / Layout.ENTRIES_PER_PAGE;
      Page page = region.findTablePage(index);
      if (index != last && page != null && !page.settled()) {
        pages.add(region.table.written(page));
      }
      last = index;
    }
    return CompletableFuture.allOf(pages.toArray(CompletableFuture[]::new));
  }

  private CompletableFuture<Void> drained() {
    CompletableFuture<Void> future = new CompletableFuture<>();
    disk.drain(_ -> future.complete(null));
    return future;
  }

  /** Neighbours are zeroed together. Each run: first cluster, number. */
  private List<int[]> runs(List<Integer> batch) {
    int longest = (int) Math.max(1, MAX_RUN_BYTES / pool.clusterBytes());
    List<int[]> runs = new ArrayList<>();
    int[] run = {-1, 0};
    for (int cluster : batch) {
      if (run[1] == 0 || cluster != run[0] + run[1] || run[1] == longest) {
        run = new int[] {cluster, 0};
        runs.add(run);
      }
      run[1]++;
    }
    return runs;
  }

  /** Zeroes all runs, a few at a time; completes with the clusters that the disk cannot write. */
  private CompletableFuture<BitSet> zero(Region region, List<int[]> runs) {
    BitSet bad = new BitSet();
    int[] next = {0};
    CompletableFuture<?>[] lanes = new CompletableFuture<?>[Math.min(PARALLEL, runs.size())];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = zeroNext(region, runs, next, bad);
    }
    return CompletableFuture.allOf(lanes).thenApply(_ -> bad);
  }

  private CompletableFuture<Void> zeroNext(Region region, List<int[]> runs, int[] next, BitSet bad) {
    if (next[0] == runs.size()) {
      return CompletableFuture.completedFuture(null);
    }
    int[] run = runs.get(next[0]++);
    return zeroRun(region, run[0], run[1], bad).thenCompose(_ -> zeroNext(region, runs, next, bad));
  }

  /** A run that fails is tried cluster by cluster: one bad block shall not cost its neighbours. */
  private CompletableFuture<Void> zeroRun(Region region, int first, int count, BitSet bad) {
    return disk.zero(region.offset(first, pool.clusterBytes()), count * pool.clusterBytes())
        .exceptionallyCompose(failure -> {
          if (PoolDisk.status(failure) != Status.MEDIUM_ERROR) {
            return CompletableFuture.failedFuture(failure);
          }
          if (count == 1) {
            bad.set(first);
            return CompletableFuture.completedFuture(null);
          }
          return zeroRun(region, first, 1, bad).thenCompose(_ -> zeroRun(region, first + 1, count - 1, bad));
        });
  }
}
