package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.concurrent.CompletableFuture;

/**
 * Reads the pages of an area that are in use, both copies, in large pieces, several at a time, and compares them. Changes nothing.
 * On the loop of the file.
 */
final class AreaReader {
  private static final int CHUNK_PAGES = 256;
  private static final int LANES = 4;

  private final AreaPlace place;
  private final Sectors sectors;
  private final int used;
  private final Sink sink;
  private int nextPage;

  /** Takes pages that hold anything, in any order; the pair is the reader's again afterwards. */
  interface Sink {
    void loaded(PagePair page);
  }

  /** Reads the first {@code used} pages. */
  AreaReader(AreaPlace place, Sectors sectors, int used, Sink sink) {
    this.place = place;
    this.sectors = sectors;
    this.used = used;
    this.sink = sink;
  }

  /** Fails only when the file fails with something else than a bad place, or when the sink does. */
  CompletableFuture<Void> read() {
    int lanes = Math.min(LANES, (used + CHUNK_PAGES - 1) / CHUNK_PAGES);
    CompletableFuture<?>[] ends = new CompletableFuture<?>[lanes];
    for (int i = 0; i < lanes; i++) {
      ends[i] = new Lane().next();
    }
    return CompletableFuture.allOf(ends);
  }

  /** One chunk after the other, with a buffer for each copy. */
  private final class Lane {
    private final Copy first = new Copy(0);
    private final Copy second = new Copy(1);
    private final PagePair pair = new PagePair(sectors);

    CompletableFuture<Void> next() {
      if (nextPage >= used) {
        return CompletableFuture.completedFuture(null);
      }
      int from = nextPage;
      int pages = Math.min(CHUNK_PAGES, used - from);
      nextPage += pages;
      CompletableFuture<Void> other = second.read(from, pages);
      return first.read(from, pages).thenCompose(_ -> other).thenCompose(_ -> {
        for (int i = 0; i < pages; i++) {
          if (pair.compare(from + i, first.memory, !first.unread.get(i), second.memory, !second.unread.get(i),
              (long) i * Layout.PAGE_BYTES)) {
            sink.loaded(pair);
          }
        }
        return next();
      });
    }
  }

  private final class Copy {
    final MemorySegment memory = Arena.ofAuto().allocate((long) Math.min(CHUNK_PAGES, used) * Layout.PAGE_BYTES,
        Layout.PAGE_BYTES);
    final BitSet unread = new BitSet();
    private final int copy;

    Copy(int copy) {
      this.copy = copy;
    }

    /** Reads all at once; when that fails, or pages have moved, page by page: to lose no more than the disk has. */
    CompletableFuture<Void> read(int from, int pages) {
      unread.clear();
      return io(place.start(copy) + (long) from * Layout.PAGE_BYTES, 0, pages)
          .thenCompose(read -> read && !place.anyMoved(copy, from, from + pages)
              ? CompletableFuture.<Void>completedFuture(null)
              : readPages(from, 0, pages));
    }

    private CompletableFuture<Void> readPages(int from, int page, int pages) {
      if (page == pages) {
        return CompletableFuture.completedFuture(null);
      }
      return io(place.at(copy, from + page), page, 1).thenCompose(read -> {
        unread.set(page, !read);
        return readPages(from, page + 1, pages);
      });
    }

    /** Whether it could be read. */
    private CompletableFuture<Boolean> io(long offset, int page, int pages) {
      CompletableFuture<Boolean> future = new CompletableFuture<>();
      long bytes = (long) pages * Layout.PAGE_BYTES;
      IoRequest request = new IoRequest(done -> {
        Status status = done.status;
        if (status.isOk() || status == Status.MEDIUM_ERROR || status == Status.OUT_OF_RANGE) {
          future.complete(status.isOk());
        } else {
          future.completeExceptionally(new RemoraException(status, "%s: cannot read %d bytes at %d: %s".formatted(
              place.file.path(), bytes, offset, status.text())));
        }
      });
      request.prepare(Op.READ, offset, bytes).sgl.add(memory, (long) page * Layout.PAGE_BYTES, bytes);
      place.file.submit(request);
      return future;
    }
  }
}
