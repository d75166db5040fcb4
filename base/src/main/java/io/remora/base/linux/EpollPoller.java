package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.remora.base.RemoraException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A poller on epoll, edge-triggered, with a {@link DiskThread} for the disks. Works on every Linux, in every container.
 *
 * <p>{@code struct epoll_event} is packed on x86_64 (12 bytes) and on no other processor (16 bytes).
 */
final class EpollPoller implements Poller {
  private static final int MAX_EVENTS = 256;
  private static final int EVENT_BYTES = Abi.X86_64 ? 12 : 16;
  private static final int DATA_AT = Abi.X86_64 ? 4 : 8;
  private static final long WAKE_KEY = -1;
  /** A busy loop that looks at memory too asks the kernel this often, in nanoseconds: a look at memory costs a tenth of that call. */
  private static final long ASK_EVERY_NS = 1000;

  private final LinuxLoop loop;
  private final Libc libc;
  private final DiskQueue disks;
  private final DiskThread diskThread;
  private final String reason;
  private final EventFd wake;
  private final int fd;
  private final MemorySegment events;
  private final MemorySegment one;
  private final MemorySegment timespec;
  private final WatchTable watched = new WatchTable();
  private boolean preciseWait = true;
  private long askedNs = System.nanoTime();

  EpollPoller(LinuxLoop loop, DiskQueue disks, Arena arena, String reason) {
    this.loop = loop;
    this.libc = loop.libc();
    this.disks = disks;
    this.reason = reason;
    this.events = arena.allocate((long) MAX_EVENTS * EVENT_BYTES, 8);
    this.one = arena.allocate(EVENT_BYTES, 8);
    this.timespec = arena.allocate(16, 8);
    this.fd = libc.epollCreate1(Abi.EPOLL_CLOEXEC);
    if (fd < 0) {
      throw Errno.file("epoll_create1", -fd);
    }
    this.wake = new EventFd();
    add(wake.fd, Abi.POLLIN | Abi.EPOLLET, WAKE_KEY);
    this.diskThread = new DiskThread(loop);
  }

  @Override
  public String description() {
    return "epoll, and a thread per loop for disks (" + reason + "), Linux " + System.getProperty("os.version");
  }

  @Override
  public void watch(Watched target) {
    long key = watched.add(target);
    try {
      add(target.fd, target.interest() | Abi.EPOLLET, key);
    } catch (RemoraException e) {
      watched.remove(target);
      throw e;
    }
  }

  @Override
  public void unwatch(Watched target) {
    if (target.slot >= 0) {
      watched.remove(target);
      libc.epollCtl(fd, Abi.EPOLL_CTL_DEL, target.fd, 0);
    }
  }

  @Override
  public void start(DiskSlot slot) {
    diskThread.start(slot);
  }

  @Override
  public int poll(long timeoutNs) {
    int count = timeoutNs == 0 && askedLately() ? 0 : await(diskThread.hasFinished() ? 0 : timeoutNs);
    for (int i = 0; i < count; i++) {
      long at = (long) i * EVENT_BYTES;
      dispatch(events.get(JAVA_LONG_UNALIGNED, at + DATA_AT), events.get(JAVA_INT_UNALIGNED, at));
    }
    int finished = 0;
    for (DiskSlot slot = diskThread.finished(); slot != null; slot = diskThread.finished()) {
      finished++;
      finish(slot);
    }
    return Math.max(0, count) + finished;
  }

  private boolean askedLately() {
    long now = loop.turnNs();
    if (loop.hasPollables() && now - askedNs < ASK_EVERY_NS) {
      return true;
    }
    askedNs = now;
    return false;
  }

  @Override
  public boolean maySleep() {
    return !diskThread.hasFinished();
  }

  @Override
  public void wake() {
    wake.signal();
  }

  @Override
  public void closeWatched() {
    for (Watched any = watched.any(); any != null; any = watched.any()) {
      any.onLoopClosed();
    }
  }

  @Override
  public void close() {
    diskThread.close();
    wake.close();
    libc.close(fd);
  }

  private void add(int target, int interest, long key) {
    one.set(JAVA_INT_UNALIGNED, 0, interest);
    one.set(JAVA_LONG_UNALIGNED, DATA_AT, key);
    int result = libc.epollCtl(fd, Abi.EPOLL_CTL_ADD, target, one.address());
    if (result < 0) {
      throw Errno.file("epoll_ctl", -result);
    }
  }

  /** Waits, to the nanosecond where the kernel can (5.11), else up to a millisecond longer. */
  private int await(long timeoutNs) {
    if (timeoutNs > 0 && preciseWait) {
      timespec.set(JAVA_LONG, 0, timeoutNs / 1_000_000_000L);
      timespec.set(JAVA_LONG, 8, timeoutNs % 1_000_000_000L);
      long count = libc.trySyscall(Abi.SYS_EPOLL_PWAIT2, fd, events.address(), MAX_EVENTS, timespec.address(), 0, 0);
      if (count >= 0) {
        return (int) count;
      }
      timespec.set(JAVA_LONG, 0, 0);
      timespec.set(JAVA_LONG, 8, 0);
      count = libc.syscall(Abi.SYS_EPOLL_PWAIT2, fd, events.address(), MAX_EVENTS, timespec.address(), 0, 0);
      if (count != -Errno.ENOSYS && count != -Errno.EPERM) {
        return (int) count;
      }
      preciseWait = false;
    }
    int timeoutMs = timeoutNs <= 0 ? (int) timeoutNs : (int) Math.min(60_000, (timeoutNs + 999_999) / 1_000_000);
    int count = libc.tryEpollWait(fd, events.address(), MAX_EVENTS, timeoutMs);
    return count >= 0 ? count : libc.epollWait(fd, events.address(), MAX_EVENTS, 0);
  }

  private void dispatch(long key, int ready) {
    if (key == WAKE_KEY) {
      return;
    }
    Watched target = watched.find(key);
    if (target != null) {
      try {
        target.onEvents(ready);
      } catch (Throwable e) {
        loop.failed(e);
      }
    }
  }

  private void finish(DiskSlot slot) {
    try {
      disks.finished(slot.index, slot.result);
    } catch (Throwable e) {
      loop.failed(e);
    }
  }
}
