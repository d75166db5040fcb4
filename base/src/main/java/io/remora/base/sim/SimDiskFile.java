package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A {@link SimFile} that is open on one loop. What is in flight when the loop dies never completes. */
final class SimDiskFile implements DiskFile {
  private static final long REFUSAL_NS = 1_000;

  private final SimLoop loop;
  private final SimDisk disk;
  private final SimFile file;
  private final long fileId;
  private final boolean writable;
  private final int blockSize;
  private final boolean canDeallocate;
  private final boolean createdEmpty;
  private long sizeBytes;
  private boolean flushFailed;
  private boolean closed;

  SimDiskFile(SimLoop loop, SimDisk disk, SimFile file, boolean writable) {
    this.loop = loop;
    this.disk = disk;
    this.file = file;
    this.fileId = disk.medium().get(file.path()).fileId;
    this.writable = writable;
    this.blockSize = file.blockSize();
    this.canDeallocate = disk.canDeallocate();
    this.sizeBytes = file.sizeBytes();
    this.createdEmpty = sizeBytes == 0;
  }

  @Override
  public Path path() {
    return file.path();
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public int blockSize() {
    return blockSize;
  }

  @Override
  public int memoryAlignment() {
    return blockSize;
  }

  @Override
  public boolean direct() {
    return true;
  }

  @Override
  public boolean canDeallocate() {
    return canDeallocate;
  }

  @Override
  public boolean createdEmpty() {
    return createdEmpty;
  }

  @Override
  public void grow(long newSizeBytes) {
    loop.checkRuns();
    Check.argument(newSizeBytes % blockSize == 0, "%s: size %d is no multiple of %d", path(), newSizeBytes, blockSize);
    MediumFile medium = current();
    if (medium == null) {
      throw SimDisk.failure(Status.NOT_FOUND, path(), "it has been deleted");
    }
    if (medium.device) {
      throw SimDisk.failure(Status.UNSUPPORTED, path(), "a block device cannot grow");
    }
    if (!writable) {
      throw SimDisk.failure(Status.READ_ONLY, path(), "opened for reading");
    }
    if (newSizeBytes < medium.sizeBytes()) {
      throw SimDisk.failure(Status.INVALID, path(), "it does not shrink to " + newSizeBytes + " bytes");
    }
    if (newSizeBytes > medium.sizeBytes()) {
      disk.apply(new MediumEvent.Resized(path(), newSizeBytes));
    }
    sizeBytes = newSizeBytes;
  }

  @Override
  public long refreshSize() {
    loop.checkInLoop();
    MediumFile medium = current();
    sizeBytes = medium == null ? sizeBytes : medium.sizeBytes();
    return sizeBytes;
  }

  @Override
  public void close() {
    loop.checkInLoop();
    closed = true;
  }

  @Override
  public void submit(IoRequest request) {
    loop.checkInLoop();
    request.begin();
    Status status = check(request);
    if (status != Status.OK || (request.length == 0 && request.op != IoRequest.Op.FLUSH)) {
      disk.simulation().after(REFUSAL_NS, new EventQueue.Event(() -> answer(request, status)));
      return;
    }
    switch (request.op) {
      case READ, COMPARE -> file.after(() -> finishRead(request));
      case FLUSH -> flush(request);
      case WRITE, WRITE_ZEROES, DEALLOCATE -> write(request);
    }
  }

  private Status check(IoRequest request) {
    if (closed) {
      return Status.ABORTED;
    }
    if (current() == null) {
      return Status.NOT_FOUND;
    }
    return switch (request.op) {
      case COMPARE -> Status.UNSUPPORTED;
      case FLUSH -> flushFailed ? Status.MEDIUM_ERROR : Status.OK;
      case READ -> checkRange(request);
      case WRITE, WRITE_ZEROES -> writable ? checkRange(request) : Status.READ_ONLY;
      case DEALLOCATE ->
        !writable ? Status.READ_ONLY : canDeallocate ? checkRange(request) : Status.UNSUPPORTED;
    };
  }

  private Status checkRange(IoRequest request) {
    long offset = request.offset;
    long length = request.length;
    if (offset < 0 || length < 0 || ((offset | length) & (blockSize - 1)) != 0) {
      return Status.INVALID;
    }
    if (request.hasData() && request.sgl.totalBytes() != length) {
      return Status.INVALID;
    }
    return length > sizeBytes || offset > sizeBytes - length ? Status.OUT_OF_RANGE : Status.OK;
  }

  private void finishRead(IoRequest request) {
    if (!loop.alive()) {
      return;
    }
    file.countRead();
    MediumFile medium = current();
    Status status = file.verdict(request.op, request.offset, request.length);
    if (medium == null || !status.isOk()) {
      // What a failed read leaves in memory is anybody's guess.
      request.sgl.fill(0, request.length, (byte) disk.random().nextInt());
      answer(request, Status.MEDIUM_ERROR);
      return;
    }
    medium.visible().read(request.offset, request.sgl, request.length);
    answer(request, Status.OK);
  }

  private void flush(IoRequest request) {
    MediumFile medium = current();
    long covered = medium == null ? 0 : medium.completions();
    file.after(() -> {
      if (loop.alive()) {
        Status status = flushFailed ? Status.MEDIUM_ERROR : file.verdict(request.op, 0, 0);
        flushFailed = !status.isOk();
        if (status.isOk()) {
          disk.apply(new MediumEvent.Flushed(path(), fileId, covered));
        }
        answer(request, status);
      }
    });
  }

  private void write(IoRequest request) {
    if (!loop.alive()) {
      return;
    }
    @Nullable
    MemorySegment data = request.op == IoRequest.Op.WRITE ? dataOf(request) : null;
    boolean punch = request.op == IoRequest.Op.DEALLOCATE;
    MediumWrite write = new MediumWrite(disk.nextId(), path(), fileId, file.destination(request.offset, request.length),
        request.length, data, punch, request.fua && !punch);
    boolean lost = file.losesWrite();
    if (!lost) {
      disk.apply(new MediumEvent.Submitted(write));
      landEarly(write);
    }
    file.after(() -> finishWrite(request, write, lost));
  }

  /** Some writes can be read in part before they complete. */
  private void landEarly(MediumWrite write) {
    SplittableRandom random = disk.random();
    if (random.nextInt(8) == 0) {
      BitSet sectors = PowerLoss.torn(MediumFile.sectors(write), random);
      disk.simulation().after(random.nextInt(10_000), new EventQueue.Event(() -> {
        MediumFile medium = current();
        if (loop.alive() && medium != null && medium.inFlight(write)) {
          disk.apply(new MediumEvent.Landed(write, sectors));
        }
      }));
    }
  }

  private void finishWrite(IoRequest request, MediumWrite write, boolean lost) {
    if (!loop.alive()) {
      return;
    }
    MemorySegment data = write.data();
    Check.that(data == null || holds(request, data), "the memory of %s was changed in flight", write);
    if (lost) {
      answer(request, Status.OK);
      return;
    }
    MediumFile medium = current();
    Status status = file.verdict(request.op, request.offset, request.length);
    if (status.isOk() && medium != null && write.data() != null
        && !disk.fits(medium.visible().missingBytes(write.offset(), write.length()))) {
      status = Status.NO_SPACE;
    }
    if (status.isOk()) {
      disk.apply(new MediumEvent.Completed(write));
    } else {
      BitSet done = status == Status.NO_SPACE ? new BitSet() : PowerLoss.any(MediumFile.sectors(write), disk.random());
      disk.apply(new MediumEvent.Cut(write, done));
    }
    answer(request, status);
  }

  private void answer(IoRequest request, Status status) {
    Simulation simulation = disk.simulation();
    simulation.trace(request.offset ^ Long.rotateLeft(request.length, 32));
    simulation.trace(request.op.name().hashCode() * 31L + status.name().hashCode());
    for (int i = 0; status.isOk() && i < request.sgl.count(); i++) {
      simulation.trace(request.sgl.segment(i).asSlice(request.sgl.offset(i), request.sgl.length(i)));
    }
    loop.enqueue(() -> request.complete(status));
  }

  private static boolean holds(IoRequest request, MemorySegment data) {
    long done = 0;
    for (int i = 0; i < request.sgl.count(); i++) {
      long at = request.sgl.offset(i);
      long length = request.sgl.length(i);
      if (MemorySegment.mismatch(request.sgl.segment(i), at, at + length, data, done, done + length) >= 0) {
        return false;
      }
      done += length;
    }
    return true;
  }

  private static MemorySegment dataOf(IoRequest request) {
    MemorySegment data = MemorySegment.ofArray(new byte[Math.toIntExact(request.length)]);
    request.sgl.copyTo(0, data, 0, request.length);
    return data;
  }

  /** The file as it is now, or null when this one has been deleted. */
  private @Nullable MediumFile current() {
    MediumFile medium = disk.medium().find(file.path());
    return medium != null && medium.fileId == fileId ? medium : null;
  }
}
