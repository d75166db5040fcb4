package io.remora.base.linux;

import io.remora.base.Doorbell;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An eventfd between two processes, as one of them has it: watched by the loop that made it, which never reads it, written to by the other. Belongs to that loop.
 *
 * <p>Pollers watch edge-triggered, and every write to an eventfd is an edge, whatever its counter says ({@code eventfd_write} wakes who waits each time).
 */
final class EventDoorbell extends Watched implements Doorbell {
  private static final String EVENTFD = "anon_inode:[eventfd]";

  private final LinuxLoop loop;
  private boolean closed;

  private EventDoorbell(LinuxLoop loop, int fd) {
    super(fd);
    this.loop = loop;
  }

  /** A new one, which wakes {@code loop}. */
  static EventDoorbell make(LinuxLoop loop) {
    int fd = loop.libc().eventfd(0, Abi.EFD_NONBLOCK | Abi.EFD_CLOEXEC);
    if (fd < 0) {
      throw Errno.file("eventfd", -fd);
    }
    EventDoorbell made = new EventDoorbell(loop, fd);
    try {
      loop.poller().watch(made);
    } catch (RemoraException e) {
      loop.libc().close(fd);
      throw e;
    }
    return made;
  }

  /** One that another process has made. */
  static EventDoorbell take(LinuxLoop loop, int fd) {
    String kind = kind(fd);
    if (!kind.equals(EVENTFD)) {
      if (fd >= 0) {
        loop.libc().close(fd);
      }
      throw new RemoraException(Status.PROTOCOL_ERROR, "a descriptor that should be an eventfd is " + kind);
    }
    return new EventDoorbell(loop, fd);
  }

  /** What the kernel says that {@code fd} is: the name of a file, or what stands for one. */
  private static String kind(int fd) {
    if (fd < 0) {
      return "missing";
    }
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(fd))).toString();
    } catch (IOException e) {
      return "unknown: " + e;
    }
  }

  @Override
  public int descriptor() {
    return fd;
  }

  @Override
  public void ring() {
    assert loop.inLoop();
    if (!closed) {
      // When the counter is full, the other loop has been woken, and has its reason to look.
      loop.libc().tryWrite(fd, EventFd.ONE.address(), 8);
    }
  }

  @Override
  public void close() {
    assert loop.inLoop();
    if (!closed) {
      closed = true;
      loop.poller().unwatch(this);
      loop.libc().close(fd);
    }
  }

  @Override
  int interest() {
    return Abi.POLLIN;
  }

  @Override
  void onEvents(int events) {
    // The loop is awake, which is all.
  }

  @Override
  void onLoopClosed() {
    close();
  }

  @Override
  public String toString() {
    return "doorbell " + fd;
  }
}
