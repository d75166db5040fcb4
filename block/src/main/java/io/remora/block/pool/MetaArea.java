package io.remora.block.pool;

import io.remora.base.Crc32c;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The volume slots, or the cluster table, of one region: pages in two copies on the disk, in memory those that were ever used.
 * Belongs to the pool's loop.
 */
final class MetaArea {
  private static final int SLAB_PAGES = 16;

  final PoolDisk disk;
  final Sectors sectors;
  final AreaPlace place;
  private final @Nullable Page[] pages;
  private @Nullable MemorySegment slab;
  private int slabUsed;

  MetaArea(PoolDisk disk, byte kind, RegionShape shape, int pageCount, Crc32c crc) {
    this.disk = disk;
    this.sectors = new Sectors(kind, shape.tag(), crc);
    this.place = new AreaPlace(disk.file(), kind, shape);
    this.pages = new Page[pageCount];
  }

  int pageCount() {
    return pages.length;
  }

  /** The page if it was ever used. */
  @Nullable
  Page find(int index) {
    return pages[index];
  }

  /** The page, made of zeros if it was never used. */
  Page page(int index) {
    Page page = pages[index];
    if (page == null) {
      page = new Page(this, index);
      pages[index] = page;
    }
    return page;
  }

  /** Zeroed memory for a page. */
  MemorySegment memory() {
    MemorySegment current = slab;
    if (current == null || slabUsed == SLAB_PAGES) {
      current = Arena.ofAuto().allocate((long) SLAB_PAGES * Layout.PAGE_BYTES, Layout.PAGE_BYTES);
      slab = current;
      slabUsed = 0;
    }
    return current.asSlice((long) slabUsed++ * Layout.PAGE_BYTES, Layout.PAGE_BYTES);
  }

  /** Sector {@code sector} of {@code page} has another content now, to be written at the end of this turn. */
  void changed(Page page, int sector) {
    page.dirtySectors |= 1 << sector;
    page.wanted = true;
    disk.writer().schedule(page);
  }

  /** As {@link #changed}, but it is enough to write it when the page is written anyway. */
  void changedLazily(Page page, int sector) {
    page.dirtySectors |= 1 << sector;
  }

  /** Calls {@code done} when the content of {@code page} as it is now is on the disk, twice, if not flushed. */
  void await(Page page, Done done) {
    if (page.dirtySectors != 0) {
      page.wanted = true;
      page.next().add(done);
      disk.writer().schedule(page);
    } else if (page.writing != null) {
      page.writing.waiters.add(done);
    } else {
      done.done(Status.OK);
    }
  }

  /** {@link #await} for control operations. */
  CompletableFuture<Void> written(Page page) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    await(page, status -> disk.end(future, status, "cannot write metadata"));
    return future;
  }
}
