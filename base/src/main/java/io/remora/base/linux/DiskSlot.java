package io.remora.base.linux;

import io.remora.base.IoRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A disk operation in flight: a request, how far it has come, and the one kernel operation that it waits for now. Reused; made
 * once per place by the {@link DiskQueue}, and owned by its loop except between start and finish of the kernel operation.
 */
final class DiskSlot {
  static final int MAX_IOVECS = 64;

  final int index;
  final MemorySegment iovecs;
  @Nullable
  IoRequest request;
  @Nullable
  LinuxFile file;

  /** For the queue's lists. */
  @Nullable
  DiskSlot next;

  /** Bytes of the request that are done. */
  long doneBytes;

  /** Bytes that the kernel operation under way was asked to do. */
  long stepBytes;

  /** Memory that the step goes through because the request's is not aligned. */
  @Nullable
  MemorySegment bounce;

  /** The data is written, what remains is to make it durable. */
  boolean syncing;

  /** How often the kernel asked to try again, in a row. */
  int retries;

  /** The kernel operation, laid out as an entry of io_uring. */
  int op;
  int fd;
  long offset;
  long address;
  int length;
  int flags;
  int result;

  DiskSlot(int index, Arena arena) {
    this.index = index;
    this.iovecs = arena.allocate(MAX_IOVECS * 16L, 16);
  }

  void set(int newOp, int newFd, long newOffset, long newAddress, int newLength, int newFlags) {
    op = newOp;
    fd = newFd;
    offset = newOffset;
    address = newAddress;
    length = newLength;
    flags = newFlags;
  }
}
