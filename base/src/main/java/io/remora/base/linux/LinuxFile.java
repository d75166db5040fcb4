package io.remora.base.linux;

import io.remora.base.Check;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.nio.file.Path;

/**
 * A file or block device that is open on one {@link LinuxLoop}.
 *
 * <p>After a failed flush every further one fails with {@link Status#MEDIUM_ERROR}, on every loop that has the file open, until
 * all of them have closed it: the kernel reports such a loss once and may have dropped the data, so a second flush that succeeds
 * would prove nothing.
 */
final class LinuxFile implements DiskFile {
  /** How a range is made to read as zeros; each falls back to the next. */
  enum Zeroing {
    ZERO_RANGE,
    PUNCH_HOLE,
    BY_WRITING
  }

  /** What is known of a file when it has been opened. */
  record Facts(Path path, boolean device, boolean writable, boolean direct, int blockSize, int memoryAlignment,
      boolean canDeallocate) {}

  private final LinuxLoop loop;
  private final DiskQueue queue;
  private final OpenFiles.Shared shared;
  private final Facts facts;
  private final int fd;
  private final int number;
  private long sizeBytes;
  private Zeroing zeroing = Zeroing.ZERO_RANGE;
  private int inFlight;
  private boolean closed;

  LinuxFile(LinuxLoop loop, DiskQueue queue, OpenFiles.Shared shared, Facts facts, int fd, long sizeBytes) {
    this.loop = loop;
    this.queue = queue;
    this.shared = shared;
    this.facts = facts;
    this.fd = fd;
    this.sizeBytes = sizeBytes;
    this.number = queue.add(this);
  }

  @Override
  public Path path() {
    return facts.path;
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public int blockSize() {
    return facts.blockSize;
  }

  @Override
  public int memoryAlignment() {
    return facts.memoryAlignment;
  }

  @Override
  public boolean direct() {
    return facts.direct;
  }

  @Override
  public boolean canDeallocate() {
    return facts.canDeallocate;
  }

  @Override
  public boolean createdEmpty() {
    return shared.createdEmpty();
  }

  @Override
  public void submit(IoRequest request) {
    assert loop.inLoop();
    queue.submit(this, request);
  }

  @Override
  public void grow(long newSizeBytes) {
    assert loop.inLoop();
    Check.argument(newSizeBytes >= 0 && newSizeBytes % facts.blockSize == 0, "%s: size %d is no multiple of %d",
        facts.path, newSizeBytes, facts.blockSize);
    if (facts.device) {
      throw new RemoraException(Status.UNSUPPORTED, facts.path + ": a block device cannot grow by itself");
    }
    if (!facts.writable) {
      throw new RemoraException(Status.READ_ONLY, facts.path + ": was opened for reading only");
    }
    if (newSizeBytes < refreshSize()) {
      throw new RemoraException(Status.INVALID,
          facts.path + " has " + sizeBytes + " bytes and does not shrink to " + newSizeBytes);
    }
    if (newSizeBytes > sizeBytes) {
      check("extend", loop.libc().ftruncate(fd, newSizeBytes));
      check("make the new size durable of", loop.libc().fsync(fd));
    }
    refreshSize();
  }

  @Override
  public long refreshSize() {
    assert loop.inLoop();
    sizeBytes = LinuxDisk.sizeBytes(loop.libc(), facts.path, fd, facts.device);
    return sizeBytes;
  }

  @Override
  public void close() {
    assert loop.inLoop();
    if (!closed) {
      closed = true;
      release();
    }
  }

  @Override
  public String toString() {
    return facts.path + (facts.direct ? " (direct)" : " (buffered)");
  }

  int fd() {
    return fd;
  }

  int number() {
    return number;
  }

  Zeroing zeroing() {
    return zeroing;
  }

  /** {@code tried} is not supported here. */
  void zeroingFailed(Zeroing tried) {
    if (tried == zeroing) {
      zeroing = tried == Zeroing.ZERO_RANGE && facts.canDeallocate ? Zeroing.PUNCH_HOLE : Zeroing.BY_WRITING;
    }
  }

  void flushFailed() {
    shared.flushFailed();
  }

  Status flushStatus() {
    return shared.flushHasFailed() ? Status.MEDIUM_ERROR : Status.OK;
  }

  /** Whether {@code request} may go to the kernel. */
  Status check(IoRequest request) {
    if (closed) {
      return Status.ABORTED;
    }
    return switch (request.op) {
      case COMPARE -> Status.UNSUPPORTED;
      case FLUSH -> facts.writable ? flushStatus() : Status.OK;
      case READ -> checkRange(request);
      case WRITE, WRITE_ZEROES -> facts.writable ? checkRange(request) : Status.READ_ONLY;
      case DEALLOCATE ->
        !facts.writable ? Status.READ_ONLY : facts.canDeallocate ? checkRange(request) : Status.UNSUPPORTED;
    };
  }

  void count(int change) {
    inFlight += change;
    if (closed) {
      release();
    }
  }

  private Status checkRange(IoRequest request) {
    long offset = request.offset;
    long length = request.length;
    if (offset < 0 || length < 0 || ((offset | length) & (facts.blockSize - 1)) != 0) {
      return Status.INVALID;
    }
    if (request.hasData() && request.sgl.totalBytes() != length) {
      return Status.INVALID;
    }
    return length > sizeBytes || offset > sizeBytes - length ? Status.OUT_OF_RANGE : Status.OK;
  }

  /** The descriptor stays open until nothing is in flight on it. */
  private void release() {
    if (inFlight == 0) {
      queue.remove(number);
      loop.libc().close(fd);
      shared.release(loop.libc());
    }
  }

  private void check(String what, int result) {
    if (result < 0) {
      throw Errno.file(what + " " + facts.path, -result);
    }
  }
}
