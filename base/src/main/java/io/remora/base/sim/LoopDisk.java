package io.remora.base.sim;

import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/** The machine's {@link SimDisk} as one loop sees it. */
final class LoopDisk implements Disk {
  private final SimLoop loop;
  private final SimDisk disk;

  LoopDisk(SimLoop loop, SimDisk disk) {
    this.loop = loop;
    this.disk = disk;
  }

  @Override
  public DiskFile open(Path path, Mode mode) {
    loop.checkRuns();
    SimFile file = disk.file(path);
    if (mode != Mode.READ && file.heldElsewhere()) {
      throw SimDisk.failure(Status.BUSY, path, "another process has it open for writing");
    }
    if (!file.exists()) {
      if (mode != Mode.CREATE) {
        throw SimDisk.failure(Status.NOT_FOUND, path, null);
      }
      disk.apply(new MediumEvent.Created(file.path(), disk.nextId(), false));
    }
    return new SimDiskFile(loop, disk, file, mode == Mode.WRITE || mode == Mode.CREATE);
  }

  @Override
  public Optional<byte[]> load(Path path) {
    loop.checkRuns();
    SimFile file = disk.file(path);
    if (!file.exists()) {
      return Optional.empty();
    }
    if (file.sizeBytes() > SMALL_FILE_BYTES) {
      throw tooLarge(path, file.sizeBytes());
    }
    return Optional.of(file.read(0, (int) file.sizeBytes()));
  }

  @Override
  public void store(Path path, byte[] content) {
    loop.checkRuns();
    if (content.length > SMALL_FILE_BYTES) {
      throw tooLarge(path, content.length);
    }
    // The new content takes space before the old gives its own back.
    if (!disk.fits(content.length)) {
      throw SimDisk.failure(Status.NO_SPACE, path, null);
    }
    disk.apply(new MediumEvent.Stored(disk.file(path).path(), disk.nextId(), MemorySegment.ofArray(content.clone())));
  }

  @Override
  public void delete(Path path) {
    loop.checkRuns();
    SimFile file = disk.file(path);
    if (file.exists()) {
      disk.apply(new MediumEvent.Deleted(file.path()));
    }
  }

  private static RemoraException tooLarge(Path path, long sizeBytes) {
    return SimDisk.failure(Status.INVALID, path, sizeBytes + " bytes are too many for a small file");
  }
}
