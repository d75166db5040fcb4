package io.remora.block;

import io.remora.base.Check;
import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A regular file or block device of the machine as a device. Each channel has an open file of its own on its loop; one more,
 * on the loop that opened the device, keeps other processes out until {@link #close}.
 */
public final class FileDevice implements BlockDevice, AutoCloseable {
  private final String name;
  private final UUID uuid;
  private final Path path;
  private final boolean readOnly;
  private final DiskFile keeper;
  private final int blockSize;
  private final int memoryAlignment;
  private final boolean canDeallocate;
  private final Listeners listeners = new Listeners();
  private volatile long sizeBytes;
  private volatile boolean removed;

  private FileDevice(String name, UUID uuid, DiskFile keeper, boolean readOnly) {
    this.name = name;
    this.uuid = uuid;
    this.path = keeper.path();
    this.readOnly = readOnly;
    this.keeper = keeper;
    this.blockSize = keeper.blockSize();
    this.memoryAlignment = keeper.memoryAlignment();
    this.canDeallocate = keeper.canDeallocate();
    this.sizeBytes = keeper.sizeBytes() & -(long) blockSize;
  }

  /**
   * Opens the file at {@code path}; on {@code loop}'s thread.
   *
   * @param sizeBytes the least size: a regular file that is shorter, or does not exist, is extended to it; 0 takes it as it is
   * @throws io.remora.base.RemoraException as {@link Disk#open}, and when it is empty
   */
  public static FileDevice open(Loop loop, String name, Path path, long sizeBytes, boolean readOnly) {
    Disk.Mode mode = readOnly ? Disk.Mode.READ : sizeBytes > 0 ? Disk.Mode.CREATE : Disk.Mode.WRITE;
    DiskFile file = loop.disk().open(path, mode);
    try {
      if (file.sizeBytes() < sizeBytes) {
        Check.argument(sizeBytes % file.blockSize() == 0, "%s: size %d is no multiple of the block size %d", path,
            sizeBytes, file.blockSize());
        file.grow(sizeBytes);
      }
      Check.argument(file.sizeBytes() >= file.blockSize(), "%s is empty: give it a size", path);
      return new FileDevice(name, uuidOf(path), file, readOnly);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** A file has no identity of its own but its place. */
  private static UUID uuidOf(Path path) {
    return UUID.nameUUIDFromBytes(("file:" + path.normalize()).getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public UUID uuid() {
    return uuid;
  }

  @Override
  public int blockSize() {
    return blockSize;
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public boolean canDeallocate() {
    return canDeallocate;
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public boolean volatileCache() {
    return true;
  }

  @Override
  public int memoryAlignment() {
    return memoryAlignment;
  }

  /** Reads the size anew, on the loop that opened it; listeners hear when it has grown. A shrunk file keeps its old size here. */
  public void refresh() {
    long size = keeper.refreshSize() & -(long) blockSize;
    if (size > sizeBytes) {
      sizeBytes = size;
      listeners.resized(this);
    }
  }

  @Override
  public BlockChannel open(Loop loop) {
    Check.that(!removed, "%s has been closed", name);
    return new Channel(loop, loop.disk().open(path, readOnly ? Disk.Mode.READ : Disk.Mode.WRITE));
  }

  @Override
  public void addListener(Listener listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Listener listener) {
    listeners.remove(listener);
  }

  /** Lets go of the file, on the loop that opened it. Channels have to be closed by those who opened them. */
  @Override
  public void close() {
    if (!removed) {
      removed = true;
      keeper.close();
      listeners.removed(this, Status.ABORTED);
    }
  }

  private final class Channel extends CheckedChannel {
    private final DiskFile file;
    private final Emulator emulator;
    private @Nullable Child free;

    Channel(Loop loop, DiskFile file) {
      super(FileDevice.this, loop);
      this.file = file;
      this.emulator = new Emulator(file::submit, IoRequest::complete);
    }

    @Override
    protected void execute(IoRequest request) {
      switch (request.op) {
        case COMPARE -> emulator.start(request);
        case DEALLOCATE -> {
          if (canDeallocate) {
            pass(request);
          } else {
            finish(request, Status.OK);
          }
        }
        case READ, WRITE, FLUSH, WRITE_ZEROES -> pass(request);
      }
    }

    private void pass(IoRequest request) {
      if (request.op != Op.FLUSH && request.offset + request.length > file.sizeBytes()) {
        file.refreshSize();
      }
      Child child = free;
      if (child == null) {
        child = new Child(this::passed);
      } else {
        free = child.next;
      }
      child.begin(request);
      file.submit(child.io);
    }

    private void passed(Child child) {
      IoRequest request = child.end();
      Status status = child.io.status;
      child.next = free;
      free = child;
      if (status == Status.UNSUPPORTED && request.op == Op.WRITE_ZEROES) {
        emulator.start(request);
      } else {
        request.complete(status);
      }
    }

    @Override
    protected void onClose() {
      file.close();
    }
  }
}
