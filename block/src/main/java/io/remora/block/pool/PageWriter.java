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

  /**
   * A page on its way to the disk. A copy that cannot be written is tried once more, then in other places; when it has moved, the
   * page is written once the label says so.
   */
  final class Slot {
    private static final int COPIES = (1 << AreaPlace.COPIES) - 1;
    private static final int MAX_ATTEMPTS = 4;

    final Waiters waiters = new Waiters();
    @Nullable
    Slot nextFree;
    private final MemorySegment memory = Arena.ofAuto().allocate(Layout.PAGE_BYTES, Layout.PAGE_BYTES);
    private final IoRequest[] copies = {new IoRequest(this::copied), new IoRequest(this::copied)};
    private @Nullable Page page;
    private int left;
    private int failed;
    private int attempts;
    private boolean moved;

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
      attempts = 0;
      moved = false;
      writing++;
      write(toWrite, COPIES);
    }

    private void stamp(Page toWrite) {
      long first = (long) toWrite.index * Layout.SECTORS_PER_PAGE;
      for (int i = 0; i < Layout.SECTORS_PER_PAGE; i++) {
        if ((toWrite.dirtySectors & 1 << i) != 0) {
          toWrite.area.sectors.stamp(toWrite.image(), (long) i * Layout.SECTOR_BYTES, first + i, pool.nextSequence());
        }
      }
    }

    /** Writes the copies of {@code which}. */
    private void write(Page toWrite, int which) {
      failed = 0;
      left = Integer.bitCount(which);
      for (int copy = 0; copy < copies.length; copy++) {
        if ((which & 1 << copy) != 0) {
          copies[copy].prepare(Op.WRITE, toWrite.area.place.at(copy, toWrite.index), Layout.PAGE_BYTES).sgl
              .add(memory, 0, Layout.PAGE_BYTES);
          disk.file().submit(copies[copy]);
        }
      }
    }

    private void copied(IoRequest copy) {
      disk.metadataWritten();
      if (!copy.status.isOk()) {
        failed |= copy == copies[0] ? 1 : 2;
      }
      if (--left == 0) {
        if (failed != 0) {
          again(Objects.requireNonNull(page));
        } else if (moved) {
          // The label may reach the medium on its own: what it points to has to be there before.
          disk.flush().thenCompose(_ -> disk.updateLabel())
              .whenComplete((_, failure) -> ended(failure == null ? Status.OK : Status.MEDIUM_ERROR));
        } else {
          ended(Status.OK);
        }
      }
    }

    private void again(Page toWrite) {
      int which = failed;
      attempts++;
      boolean hope = !pool.failed() && attempts <= MAX_ATTEMPTS;
      for (int copy = 0; hope && attempts > 1 && copy < copies.length; copy++) {
        if ((which & 1 << copy) != 0) {
          hope = disk.moves().move(toWrite.area, copy, toWrite.index);
          moved = true;
        }
      }
      if (hope) {
        write(toWrite, which);
        return;
      }
      IoRequest copy = copies[(which & 1) != 0 ? 0 : 1];
      pool.fail(copy.status, disk.path() + ": cannot write metadata at " + copy.offset + ": " + copy.status.text());
      ended(Status.MEDIUM_ERROR);
    }

    private void ended(Status status) {
      Page written = Objects.requireNonNull(page);
      writing--;
      page = null;
      written.writing = null;
      if (status.isOk()) {
        written.endFresh();
      }
      if (moved && status.isOk()) {
        pool.addProblem("%s: page %d of the %s could not be written in its place and has moved".formatted(disk.path(),
            written.index, written.area.place.what()));
      }
      waiters.end(status);
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
