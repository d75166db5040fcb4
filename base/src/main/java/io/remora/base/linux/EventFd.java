package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An eventfd that wakes a poller. From any thread: the lock is taken only for a loop that sleeps, and keeps a late waker from
 * writing to a descriptor that was closed and given to somebody else.
 *
 * <p>It is never read: pollers watch it edge-triggered, and every write is an edge.
 */
final class EventFd {
  /** What is written to ring: 8 bytes. */
  static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_LONG, 1L);

  final int fd;
  private final Libc libc = new Libc();
  private boolean closed;

  EventFd() {
    fd = libc.eventfd(0, Abi.EFD_NONBLOCK | Abi.EFD_CLOEXEC);
    if (fd < 0) {
      throw Errno.file("eventfd", -fd);
    }
  }

  synchronized void signal() {
    if (!closed) {
      libc.tryWrite(fd, ONE.address(), 8);
    }
  }

  synchronized void close() {
    if (!closed) {
      closed = true;
      libc.close(fd);
    }
  }
}
