package io.remora.base;

import java.nio.file.Path;

/**
 * An open file or block device of one loop.
 *
 * <p>{@link #submit} takes {@link IoRequest}s of all operations but COMPARE. Offsets and lengths are multiples of
 * {@link #blockSize}; memory that is not aligned to {@link #memoryAlignment} is copied. A write is torn at 512 bytes by a power
 * loss at worst; completed writes may be lost or reordered until a FLUSH that was submitted after them has completed. A FLUSH
 * reaches the medium, not only the device's cache. After a FLUSH that failed all later ones fail too, until the file is opened
 * anew: nobody can tell what was lost.
 */
public interface DiskFile extends AutoCloseable {
  /** Where it is. */
  Path path();

  /** Its size in bytes. */
  long sizeBytes();

  /** The unit of offsets and lengths in bytes: 512 to 4096, a power of two. */
  int blockSize();

  /** The alignment of memory, in bytes, from which I/O needs no copy. */
  int memoryAlignment();

  /** Whether I/O goes past the page cache. */
  boolean direct();

  /** Whether DEALLOCATE gives space back; the range reads as zeros afterwards. Else it completes with UNSUPPORTED. */
  boolean canDeallocate();

  /**
   * Whether every byte was zero when this was opened for the first time: the file was empty, and what {@link #grow} adds is.
   */
  boolean createdEmpty();

  /**
   * Starts an operation. Completion is on this loop, never inside this call. A range past the end gives OUT_OF_RANGE: only
   * {@link #grow} makes a file longer.
   */
  void submit(IoRequest request);

  /**
   * Extends a regular file, sparsely, to {@code sizeBytes}, durably; blocks for a moment. A block device cannot: UNSUPPORTED. A
   * smaller size is INVALID.
   */
  void grow(long sizeBytes);

  /** Reads the size anew: a disk may have been extended by somebody else. */
  long refreshSize();

  /** Closes it. Requests in flight still complete. */
  @Override
  void close();
}
