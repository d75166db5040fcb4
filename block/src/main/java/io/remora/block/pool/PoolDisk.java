package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.Zeros;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A disk of a pool: its file, its flushes, and what is in flight on it. Belongs to the pool's loop.
 *
 * <p>Other loops have the disk open too and count what they write; a flush from here covers it, since it covers the whole disk.
 *
 * <p>Flushes are shared: who asks while one is in flight that does not cover what he means waits for the next, together with all
 * others who do. After a failed flush no flush ever succeeds again: nobody knows what the disk has dropped.
 */
final class PoolDisk {
  private final Pool pool;
  private final DiskFile file;
  private final LaneDisk data;
  private final UUID uuid;
  private final int index;
  private final PageWriter writer;
  private final List<Region> regions = new ArrayList<>();
  private final Cleaner cleaner;
  private final PageMoves moves = new PageMoves(this);
  /** A region that the label shall describe, but that is not in use yet. */
  private @Nullable RegionShape coming;

  /** Writes of this loop that are not {@link #data} and have completed in this life; at first one, for those of the lives before. */
  private long written = 1;
  private long writtenDurable;
  private long metadataWritten = 1;
  private long metadataDurable;
  private final IoRequest flushIo = new IoRequest(this::flushed);
  /** {@link #metadataQuiet} for other loops: never true when it would be false here. */
  private volatile boolean quiet;
  private boolean flushing;
  private boolean flushFailed;
  private long flushCovers;
  private long flushCoversMetadata;
  private Waiters flushWaiters = new Waiters();
  private Waiters nextFlushWaiters = new Waiters();

  /** The disk as other loops have it open; at first nobody. */
  private final List<Guest> guests = new ArrayList<>();
  private int drainsLeft;
  private @Nullable Done drained;
  private final Done drainEnded = this::drainEnded;

  private long labelSequence;
  private CompletableFuture<Void> labelWrite = CompletableFuture.completedFuture(null);

  PoolDisk(Pool pool, DiskFile file, UUID uuid, int index, long labelSequence) {
    this.pool = pool;
    this.file = file;
    this.data = new LaneDisk(file);
    this.uuid = uuid;
    this.index = index;
    this.labelSequence = labelSequence;
    this.writer = new PageWriter(pool, this);
    this.cleaner = new Cleaner(pool, this);
  }

  DiskFile file() {
    return file;
  }

  /** For data I/O of the pool's loop. */
  LaneDisk data() {
    return data;
  }

  Path path() {
    return file.path();
  }

  UUID uuid() {
    return uuid;
  }

  int index() {
    return index;
  }

  PageWriter writer() {
    return writer;
  }

  Cleaner cleaner() {
    return cleaner;
  }

  PageMoves moves() {
    return moves;
  }

  /** What is wrong with the disk, for people. */
  Optional<String> warning() {
    List<String> parts = new ArrayList<>();
    if (moves.count() > 0) {
      parts.add(moves.count() + " pages of metadata had to move off blocks that cannot be written");
    }
    long reads = data.readErrors();
    long writes = data.writeErrors();
    long last = data.lastErrorAt();
    for (Guest guest : guests) {
      reads += guest.disk.readErrors();
      writes += guest.disk.writeErrors();
      last = Math.max(last, guest.disk.lastErrorAt());
    }
    if (reads + writes > 0) {
      parts
          .add("%d reads and %d writes of data have failed since the pool was opened, one at offset %d".formatted(reads,
              writes, last));
    }
    return parts.isEmpty()
        ? Optional.empty()
        : Optional.of(path() + ": " + String.join("; ", parts) + ": replace the disk");
  }

  List<Region> regions() {
    return regions;
  }

  /** What the label says about the regions. */
  List<Label.RegionEntry> regionEntries() {
    List<Label.RegionEntry> entries = new ArrayList<>();
    for (Region region : regions) {
      entries.add(new Label.RegionEntry(region.shape, region.tableUsed, region.slotsUsed));
    }
    RegionShape next = coming;
    if (next != null) {
      entries.add(new Label.RegionEntry(next, 0, 0));
    }
    return entries;
  }

  void coming(@Nullable RegionShape shape) {
    coming = shape;
  }

  // Data in flight.

  private record Guest(Lane lane, LaneDisk disk) {}

  /** Another loop has opened the disk, and uses it when this loop has told it so. */
  void addLane(Lane lane, LaneDisk disk) {
    guests.add(new Guest(lane, disk));
  }

  /** Calls {@code done} when all data I/O that is in flight now has ended, on every loop. One at a time. */
  void drain(Done done) {
    Check.that(drained == null, "drained twice at once");
    drained = done;
    drainsLeft = 1 + guests.size();
    data.drain(drainEnded);
    for (Guest guest : guests) {
      guest.lane.drain(index, drainEnded);
    }
  }

  private void drainEnded(Status status) {
    if (--drainsLeft == 0) {
      Done done = Objects.requireNonNull(drained);
      drained = null;
      done.done(status);
    }
  }

  /** Completed writes of all loops. */
  private long written() {
    long sum = written + data.written();
    for (int i = 0; i < guests.size(); i++) {
      sum += guests.get(i).disk.written();
    }
    return sum;
  }

  // Flushes.

  void metadataWritten() {
    written++;
    metadataWritten++;
    if (quiet) {
      quiet = false;
    }
  }

  /**
   * Whether every entry of the table that another loop has found settled before it asks is durable: it is counted as written before
   * it is settled. From any thread.
   */
  boolean quiet() {
    return quiet;
  }

  /** Whether all metadata as it is in memory is durable. */
  boolean metadataQuiet() {
    return metadataWritten == metadataDurable && writer.idle();
  }

  /** Makes every write durable that has completed before this. May call {@code done} inside. */
  void flush(Done done) {
    long now = written();
    if (flushFailed) {
      done.done(Status.MEDIUM_ERROR);
    } else if (now == writtenDurable) {
      done.done(Status.OK);
    } else if (flushing && flushCovers == now) {
      flushWaiters.add(done);
    } else {
      nextFlushWaiters.add(done);
      if (!flushing) {
        startFlush();
      }
    }
  }

  private void startFlush() {
    Waiters next = nextFlushWaiters;
    nextFlushWaiters = flushWaiters;
    flushWaiters = next;
    flushing = true;
    flushCovers = written();
    flushCoversMetadata = metadataWritten;
    file.submit(flushIo.prepare(Op.FLUSH, 0, 0));
  }

  private void flushed(IoRequest io) {
    Status status = io.status;
    if (status.isOk()) {
      writtenDurable = flushCovers;
      metadataDurable = flushCoversMetadata;
      quiet = metadataQuiet();
    } else {
      flushFailed = true;
      pool.fail(status, path() + ": a flush has failed: " + status.text());
    }
    // Who asks from inside one of these calls belongs to the next flush.
    flushCovers = -1;
    flushWaiters.end(status.isOk() ? Status.OK : Status.MEDIUM_ERROR);
    flushing = false;
    if (flushFailed) {
      nextFlushWaiters.end(Status.MEDIUM_ERROR);
    } else if (!nextFlushWaiters.isEmpty()) {
      startFlush();
    }
  }

  CompletableFuture<Void> flush() {
    CompletableFuture<Void> future = new CompletableFuture<>();
    flush(status -> end(future, status, "cannot flush"));
    return future;
  }

  // Control operations.

  void end(CompletableFuture<Void> future, Status status, String what) {
    if (status.isOk()) {
      future.complete(null);
    } else {
      future.completeExceptionally(new RemoraException(status, path() + ": " + what + ": " + status.text()));
    }
  }

  CompletableFuture<Void> read(long offset, MemorySegment memory, long length) {
    return io(Op.READ, offset, memory, length);
  }

  CompletableFuture<Void> write(long offset, MemorySegment memory, long length) {
    return io(Op.WRITE, offset, memory, length);
  }

  /** Makes the range zeros, and gives its space back where that is possible. */
  CompletableFuture<Void> zero(long offset, long length) {
    if (!file.canDeallocate()) {
      return writeZeros(offset, length);
    }
    return io(Op.DEALLOCATE, offset, null, length).exceptionallyCompose(e -> writeZeros(offset, length));
  }

  private CompletableFuture<Void> writeZeros(long offset, long length) {
    return io(Op.WRITE_ZEROES, offset, null, length).exceptionallyCompose(
        e -> status(e) == Status.UNSUPPORTED ? fill(offset, length) : CompletableFuture.failedFuture(e));
  }

  /** Writes zeros, as data is written. */
  CompletableFuture<Void> fill(long offset, long length) {
    if (length <= 0) {
      return CompletableFuture.completedFuture(null);
    }
    long take = Math.min(length, Zeros.BYTES);
    return io(Op.WRITE, offset, Zeros.SEGMENT, take).thenCompose(_ -> fill(offset + take, length - take));
  }

  private CompletableFuture<Void> io(Op op, long offset, @Nullable MemorySegment memory, long length) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    IoRequest request = new IoRequest(done -> {
      if (op != Op.READ) {
        written++;
      }
      end(future, done.status, "%s of %d bytes at %d".formatted(op, length, offset));
    });
    request.prepare(op, offset, length);
    if (memory != null) {
      request.sgl.add(memory, 0, length);
    }
    file.submit(request);
    return future;
  }

  /** The status in a failed future's exception. */
  static Status status(Throwable failure) {
    Throwable e = failure;
    while (e.getCause() != null && !(e instanceof RemoraException)) {
      e = e.getCause();
    }
    return e instanceof RemoraException remora ? remora.status() : Status.INTERNAL;
  }

  // The label.

  /** Writes the label as the pool is now: one copy, flush, the other, flush; after those that were asked for before. */
  CompletableFuture<Void> writeLabel() {
    labelWrite = labelWrite.handle((_, _) -> null).thenCompose(_ -> {
      MemorySegment page = pool.labelPage(this, ++labelSequence);
      return write(Layout.LABEL_A, page, Layout.PAGE_BYTES).thenCompose(_ -> flush())
          .thenCompose(_ -> write(Layout.LABEL_B, page, Layout.PAGE_BYTES)).thenCompose(_ -> flush());
    });
    return labelWrite;
  }

  /** {@link #writeLabel} of a pool in use: when it fails the pool takes no more writes. */
  CompletableFuture<Void> updateLabel() {
    return writeLabel().whenComplete((_, failure) -> {
      if (failure != null) {
        pool.fail(status(failure), path() + ": cannot write the label: " + failure.getMessage());
      }
    });
  }
}
