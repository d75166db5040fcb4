package io.remora.base.linux;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;

/**
 * A poller on one io_uring. Sockets are watched by multishot polls, edge-triggered, and read and written by plain system calls;
 * disk operations are entries of the ring. What a turn has gathered is handed in by one system call, the same that waits.
 *
 * <p>User data: two bits of kind, then the {@link WatchTable} key or the number of the disk slot.
 */
final class RingPoller implements Poller {
  private static final int ENTRIES = 512;
  private static final int MAX_COMPLETIONS_PER_TURN = 1024;
  private static final int KIND_SHIFT = 62;
  private static final long KIND_IGNORED = 0;
  private static final long KIND_WATCH = 1;
  private static final long KIND_DISK = 2;
  private static final long KIND_WAKE = 3;
  private static final long KEY_MASK = (1L << KIND_SHIFT) - 1;

  private final LinuxLoop loop;
  private final Ring ring;
  private final DiskQueue disks;
  private final EventFd wake;
  private final WatchTable watched = new WatchTable();

  /**
   * Sets it up on the loop's thread.
   *
   * @throws RemoraException {@link Status#UNSUPPORTED} with the reason
   */
  static RingPoller open(LinuxLoop loop, DiskQueue disks, Arena arena) {
    Ring ring = new Ring(loop.libc(), arena, ENTRIES);
    return new RingPoller(loop, ring, disks);
  }

  private RingPoller(LinuxLoop loop, Ring ring, DiskQueue disks) {
    this.loop = loop;
    this.ring = ring;
    this.disks = disks;
    this.wake = new EventFd();
    watchWake();
  }

  @Override
  public String description() {
    return "io_uring (" + ring.mode() + "), Linux " + System.getProperty("os.version");
  }

  @Override
  public void watch(Watched target) {
    arm(target, watched.add(target));
  }

  @Override
  public void unwatch(Watched target) {
    if (target.slot < 0) {
      return;
    }
    long userData = KIND_WATCH << KIND_SHIFT | watched.key(target.slot);
    watched.remove(target);
    // At once and not at the end of the turn: a poll holds the socket open, and its port taken, until it is gone.
    // Cancelled and not removed: the kernel refuses to remove a poll that it is just about to report, and would go on with it for ever.
    long at = ring.nextEntry();
    ring.fill(at, Ring.OP_ASYNC_CANCEL, -1, 0, userData, 0, 0, KIND_IGNORED);
    ring.enterNow();
  }

  @Override
  public void start(DiskSlot slot) {
    long at = ring.nextEntry();
    ring.fill(at, slot.op, slot.fd, slot.offset, slot.address, slot.length, slot.flags,
        KIND_DISK << KIND_SHIFT | slot.index);
  }

  @Override
  public int poll(long timeoutNs) {
    if (timeoutNs != 0 && !ring.hasCompletion()) {
      ring.enterAndWait(timeoutNs);
    } else if (ring.needsEnter()) {
      ring.enterNow();
    }
    int count = Math.min(ring.completions(), MAX_COMPLETIONS_PER_TURN);
    for (int i = 0; i < count; i++) {
      long userData = ring.userData();
      int result = ring.result();
      int flags = ring.flags();
      ring.drop();
      dispatch(userData, result, flags);
    }
    return count;
  }

  @Override
  public boolean maySleep() {
    return true;
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
    wake.close();
    ring.close();
  }

  private void dispatch(long userData, int result, int flags) {
    try {
      switch ((int) (userData >>> KIND_SHIFT)) {
        case (int) KIND_WATCH -> watchedEvent(userData & KEY_MASK, result, flags);
        case (int) KIND_DISK -> disks.finished((int) userData, result);
        case (int) KIND_WAKE -> {
          if ((flags & Ring.CQE_F_MORE) == 0) {
            watchWake();
          }
        }
        default -> {
        }
      }
    } catch (Throwable e) {
      loop.failed(e);
    }
  }

  private void watchedEvent(long key, int result, int flags) {
    Watched target = watched.find(key);
    if (target == null) {
      return;
    }
    int events = result >= 0 ? result : Abi.POLLERR;
    // The kernel may end a multishot poll, for want of room among others. After an error or hang-up nothing new can come.
    if ((flags & Ring.CQE_F_MORE) == 0 && (events & (Abi.POLLERR | Abi.POLLHUP)) == 0) {
      arm(target, key);
    }
    target.onEvents(events);
  }

  private void arm(Watched target, long key) {
    long at = ring.nextEntry();
    ring.fill(at, Ring.OP_POLL_ADD, target.fd, 0, 0, Ring.POLL_ADD_MULTI, target.interest(),
        KIND_WATCH << KIND_SHIFT | key);
  }

  private void watchWake() {
    long at = ring.nextEntry();
    ring.fill(at, Ring.OP_POLL_ADD, wake.fd, 0, 0, Ring.POLL_ADD_MULTI, Abi.POLLIN, KIND_WAKE << KIND_SHIFT);
  }
}
