package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes the dirty pages of one disk: both copies of a page at once, each page once at a time. What changes while a page is being
 * written is written next; who waits is told by the write that holds what he waits for. Belongs to the pool's loop; allocates
 * nothing in the steady state.
 *
 * <p>Two writes at once are safe, as a sector of either copy is old or new after a power loss, and both hold their checksums.
 */
final class PageWriter {
  private static final int SLOTS = 32;

  private final Pool pool;
  private final PoolDisk disk;
  private final Runnable run = this::run;
  private @Nullable Slot free;
  private int writing;
  private @Nullable Page head;
  private @Nullable Page tail;
  private boolean deferred;

  PageWriter(Pool pool, PoolDisk disk) {
    this.pool = pool;
    this.disk = disk;
    for (int i = 0; i < SLOTS; i++) {
      free = new Slot(free);
    }
  }

  /** Whether no page is being written or waits to be. */
  boolean idle() {
    return writing == 0 && head == null;
  }

  /** Writes {@code page} at the end of this turn, or when its write in progress has ended. */
  void schedule(Page page) {
    if (page.queued || page.writing != null) {
      return;
    }
    page.queued = true;
    Page last = tail;
    if (last == null) {
      head = page;
    } else {
      last.nextQueued = page;
    }
    tail = page;
    if (!deferred) {
      deferred = true;
      pool.loop().defer(run);
    }
  }

  private void run() {
    deferred = false;
    Page page = head;
    while (page != null) {
      Slot slot = free;
      boolean failed = pool.failed();
      if (slot == null && !failed) {
        return;
      }
      head = page.nextQueued;
      if (head == null) {
        tail = null;
      }
      page.nextQueued = null;
      page.queued = false;
      if (failed || slot == null) {
        page.wanted = false;
        page.next().end(Status.MEDIUM_ERROR);
      } else {
        free = slot.nextFree;
        slot.start(page);
      }
      page = head;
    }
  }

  /** A page on its way to the disk. */
  final class Slot {
    final Waiters waiters = new Waiters();
    @Nullable
    Slot nextFree;
    private final MemorySegment memory = Arena.ofAuto().allocate(Layout.PAGE_BYTES, Layout.PAGE_BYTES);
    private final IoRequest copyA = new IoRequest(this::copied);
    private final IoRequest copyB = new IoRequest(this::copied);
    private @Nullable Page page;
    private int left;
    private Status status = Status.OK;

    Slot(@Nullable Slot nextFree) {
      this.nextFree = nextFree;
    }

    void start(Page toWrite) {
      page = toWrite;
      stamp(toWrite);
      MemorySegment.copy(toWrite.image(), 0, memory, 0, Layout.PAGE_BYTES);
      toWrite.dirtySectors = 0;
      toWrite.wanted = false;
      toWrite.writing = this;
      toWrite.beginFresh();
      waiters.takeOver(toWrite.next());
      status = Status.OK;
      left = 2;
      writing++;
      copyA.prepare(Op.WRITE, toWrite.area.place.at(0, toWrite.index), Layout.PAGE_BYTES).sgl.add(memory, 0,
          Layout.PAGE_BYTES);
      copyB.prepare(Op.WRITE, toWrite.area.place.at(1, toWrite.index), Layout.PAGE_BYTES).sgl.add(memory, 0,
          Layout.PAGE_BYTES);
      disk.file().submit(copyA);
      disk.file().submit(copyB);
    }

    private void stamp(Page toWrite) {
      long first = (long) toWrite.index * Layout.SECTORS_PER_PAGE;
      for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
        if ((toWrite.dirtySectors & 1 << i) != 0) {
          toWrite.area.sectors.stamp(toWrite.image(), (long) i * Layout.SECTOR_BYTES, first + i, pool.nextSequence());
        }
      }
    }

    private void copied(IoRequest copy) {
      disk.metadataWritten();
      if (!copy.status.isOk() && status.isOk()) {
        status = copy.status;
        pool.fail(copy.status,
            disk.path() + ": cannot write metadata at " + copy.offset + ": " + copy.status.text());
      }
      if (--left == 0) {
        ended(Objects.requireNonNull(page));
      }
    }

    private void ended(Page written) {
      writing--;
      page = null;
      written.writing = null;
      if (status.isOk()) {
        written.endFresh();
      }
      waiters.end(status.isOk() ? Status.OK : Status.MEDIUM_ERROR);
      nextFree = free;
      free = this;
      if (written.wanted) {
        schedule(written);
      }
      if (head != null && !deferred) {
        deferred = true;
        pool.loop().defer(run);
      }
    }
  }
}
