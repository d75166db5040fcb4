package io.remora.base;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Disks and files as one loop sees them. These are control operations: they may block for a moment and they throw
 * {@link RemoraException} ({@link Status#NOT_FOUND}, {@link Status#EXISTS}, {@link Status#DENIED}, {@link Status#NO_SPACE},
 * {@link Status#BUSY} when another process holds it, {@link Status#MEDIUM_ERROR}), with a message that names the path.
 */
public interface Disk {
  /** The longest file that {@link #load} and {@link #store} take, in bytes. */
  int SMALL_FILE_BYTES = 16 << 20;

  /** How to open a file. */
  enum Mode {
    /** Reads only; others may have it open too. */
    READ,
    /**
     * Reads what nobody writes meanwhile: {@link Status#BUSY} when another Remora process has it open for writing, and none can open
     * it so until this is closed.
     */
    INSPECT,
    /**
     * Reads and writes; the file must exist. The loops of one process may all have it open; no other Remora process may have it
     * open for writing.
     */
    WRITE,
    /** As {@link #WRITE}; a regular file that does not exist is created, empty. */
    CREATE
  }

  /**
   * Opens a regular file or a block device for block I/O, past the page cache where the file system permits it.
   */
  DiskFile open(Path path, Mode mode);

  /** The content of a small file; empty when there is none. */
  Optional<byte[]> load(Path path);

  /** Replaces a small file whole, atomically and durably: after a crash it holds the old content or the new. */
  void store(Path path, byte[] content);

  /** Deletes a file durably; nothing happens when there is none. */
  void delete(Path path);
}
