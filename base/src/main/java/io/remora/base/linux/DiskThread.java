package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A thread that does one loop's disk operations, in order, where io_uring is not permitted.
 *
 * <p>Two rings with one writer and one reader each carry the slots there and back. Neither can overflow: they have as many
 * places as there are slots.
 */
final class DiskThread {
  private static final int MASK = DiskQueue.SLOTS - 1;

  private final LinuxLoop loop;
  private final AtomicReferenceArray<@Nullable DiskSlot> started = new AtomicReferenceArray<>(DiskQueue.SLOTS);
  private final AtomicReferenceArray<@Nullable DiskSlot> finished = new AtomicReferenceArray<>(DiskQueue.SLOTS);
  private final Libc libc = new Libc();
  private final MemorySegment iovec = Arena.ofAuto().allocate(16, 8);
  private final Thread thread;
  private volatile boolean parked;
  private volatile boolean closed;
  private int startTail;
  private int startHead;
  private int finishTail;
  private int finishHead;

  DiskThread(LinuxLoop loop) {
    this.loop = loop;
    this.thread = Thread.ofPlatform().name(loop.name() + "-disk").daemon(true).start(this::run);
  }

  /** Hands {@code slot} over. The loop's thread. */
  void start(DiskSlot slot) {
    started.set(startTail++ & MASK, slot);
    if (parked) {
      LockSupport.unpark(thread);
    }
  }

  /** Whether {@link #finished} would give something. The loop's thread. */
  boolean hasFinished() {
    return finished.get(finishHead & MASK) != null;
  }

  /** A slot whose operation has ended, or null. The loop's thread. */
  @Nullable
  DiskSlot finished() {
    int index = finishHead & MASK;
    DiskSlot slot = finished.getAcquire(index);
    if (slot != null) {
      finished.setPlain(index, null);
      finishHead++;
    }
    return slot;
  }

  /** Ends the thread after what it was given. The loop's thread. */
  void close() {
    closed = true;
    LockSupport.unpark(thread);
  }

  private void run() {
    while (true) {
      DiskSlot slot = started.getAcquire(startHead & MASK);
      if (slot != null) {
        started.setPlain(startHead++ & MASK, null);
        slot.result = execute(slot);
        // A full fence: either the loop sees this before it sleeps, or this thread sees that it sleeps.
        finished.set(finishTail++ & MASK, slot);
        loop.wake();
      } else if (closed) {
        return;
      } else {
        park();
      }
    }
  }

  private void park() {
    parked = true;
    if (started.get(startHead & MASK) == null && !closed) {
      LockSupport.park(this);
    }
    parked = false;
  }

  /** A write that failed once has failed: the kernel may tell the error of a page once only, so a second one that succeeds means nothing. */
  private int write(DiskSlot slot, long iovecs, int count) {
    long written = libc.tryPwritev2(slot.fd, iovecs, count, slot.offset, slot.flags);
    if (written >= 0) {
      return (int) written;
    }
    long again = libc.pwritev2(slot.fd, iovecs, count, slot.offset, slot.flags);
    return again < 0 ? (int) again : -Errno.EIO;
  }

  private int execute(DiskSlot slot) {
    return switch (slot.op) {
      case Ring.OP_READ -> {
        long count = libc.tryPread(slot.fd, slot.address, slot.length, slot.offset);
        yield (int) (count >= 0 ? count : libc.pread(slot.fd, slot.address, slot.length, slot.offset));
      }
      case Ring.OP_READV -> {
        long count = libc.tryPreadv(slot.fd, slot.address, slot.length, slot.offset);
        yield (int) (count >= 0 ? count : libc.preadv(slot.fd, slot.address, slot.length, slot.offset));
      }
      case Ring.OP_WRITE -> {
        iovec.set(JAVA_LONG, 0, slot.address);
        iovec.set(JAVA_LONG, 8, slot.length);
        yield write(slot, iovec.address(), 1);
      }
      case Ring.OP_WRITEV -> write(slot, slot.address, slot.length);
      case Ring.OP_FSYNC -> libc.fdatasync(slot.fd);
      // As in an entry of io_uring, the length of the range is in the place of the address, and the mode in that of the length.
      case Ring.OP_FALLOCATE -> libc.fallocate(slot.fd, slot.length, slot.offset, slot.address);
      default -> -Errno.EINVAL;
    };
  }
}
