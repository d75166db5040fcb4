package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * One io_uring: the two queues that are shared with the kernel, and nothing of what the entries mean. Made, used and closed by
 * one thread.
 *
 * <pre>
 *   submission queue   head (kernel's) ... tail (ours)   array[i] = i   entries of 64 bytes
 *   completion queue   head (ours) ... tail (kernel's)                  entries of 16 bytes: user data, result, flags
 * </pre>
 */
final class Ring {
  static final int OP_READV = 1;
  static final int OP_WRITEV = 2;
  static final int OP_FSYNC = 3;
  static final int OP_POLL_ADD = 6;
  static final int OP_ASYNC_CANCEL = 14;
  static final int OP_FALLOCATE = 17;
  static final int OP_READ = 22;
  static final int OP_WRITE = 23;
  static final int FSYNC_DATASYNC = 1;
  static final int POLL_ADD_MULTI = 1;
  static final int CQE_F_MORE = 2;

  private static final int SETUP_CQSIZE = 1 << 3;
  private static final int SETUP_CLAMP = 1 << 4;
  private static final int SETUP_SUBMIT_ALL = 1 << 7;
  private static final int SETUP_COOP_TASKRUN = 1 << 8;
  private static final int SETUP_TASKRUN_FLAG = 1 << 9;
  private static final int SETUP_SINGLE_ISSUER = 1 << 12;
  private static final int SETUP_DEFER_TASKRUN = 1 << 13;
  private static final int FEAT_SINGLE_MMAP = 1;
  private static final int FEAT_NODROP = 1 << 1;
  private static final int FEAT_EXT_ARG = 1 << 8;
  /** Came with 5.13, as multishot poll did, which has no bit of its own. */
  private static final int FEAT_RSRC_TAGS = 1 << 10;
  private static final int NEEDED = FEAT_SINGLE_MMAP | FEAT_NODROP | FEAT_EXT_ARG | FEAT_RSRC_TAGS;
  private static final int SQ_CQ_OVERFLOW = 1 << 1;
  private static final int SQ_TASKRUN = 1 << 2;
  private static final int ENTER_GETEVENTS = 1;
  private static final int ENTER_EXT_ARG = 8;
  private static final int PARAMS_BYTES = 120;
  private static final int SQE_BYTES = 64;
  private static final long OFFSET_SQES = 0x10000000L;
  private static final VarHandle INT = JAVA_INT.varHandle();

  private final Libc libc;
  private final int fd;
  private final String mode;
  private final MemorySegment rings;
  private final MemorySegment sqes;
  private final MemorySegment waitArgument;
  private final MemorySegment timespec;
  private final long sqHeadAt;
  private final long sqTailAt;
  private final long sqFlagsAt;
  private final int sqMask;
  private final int sqEntries;
  private final long cqHeadAt;
  private final long cqTailAt;
  private final long cqesAt;
  private final int cqMask;
  private int sqTail;
  private int submitted;
  private int cqHead;

  /**
   * Sets a ring up with the best mode that the kernel knows.
   *
   * @throws RemoraException {@link Status#UNSUPPORTED} with the reason
   */
  Ring(Libc libc, Arena arena, int entries) {
    this.libc = libc;
    MemorySegment params = arena.allocate(PARAMS_BYTES, 8);
    int base = SETUP_CQSIZE | SETUP_CLAMP;
    int common = base | SETUP_SUBMIT_ALL | SETUP_TASKRUN_FLAG;
    int ringFd = setup(params, entries, common | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN);
    String how = "SINGLE_ISSUER|DEFER_TASKRUN";
    if (ringFd == -Errno.EINVAL) {
      ringFd = setup(params, entries, common | SETUP_COOP_TASKRUN);
      how = "COOP_TASKRUN";
    }
    if (ringFd == -Errno.EINVAL) {
      ringFd = setup(params, entries, base);
      how = "plain";
    }
    if (ringFd < 0) {
      throw unavailable("io_uring_setup: " + reason(-ringFd));
    }
    fd = ringFd;
    mode = how;
    int features = params.get(JAVA_INT, 20);
    if ((features & NEEDED) != NEEDED) {
      libc.close(fd);
      throw unavailable("this kernel's io_uring is older than Linux 5.13");
    }
    sqEntries = params.get(JAVA_INT, 0);
    int cqEntries = params.get(JAVA_INT, 4);
    long arrayAt = params.get(JAVA_INT, 40 + 24);
    cqesAt = params.get(JAVA_INT, 80 + 20);
    rings = map(Math.max(arrayAt + sqEntries * 4L, cqesAt + cqEntries * 16L), 0);
    sqes = map((long) sqEntries * SQE_BYTES, OFFSET_SQES);
    sqHeadAt = params.get(JAVA_INT, 40);
    sqTailAt = params.get(JAVA_INT, 40 + 4);
    sqMask = rings.get(JAVA_INT, params.get(JAVA_INT, 40 + 8));
    sqFlagsAt = params.get(JAVA_INT, 40 + 16);
    cqHeadAt = params.get(JAVA_INT, 80);
    cqTailAt = params.get(JAVA_INT, 80 + 4);
    cqMask = rings.get(JAVA_INT, params.get(JAVA_INT, 80 + 8));
    for (int i = 0; i < sqEntries; i++) {
      rings.set(JAVA_INT, arrayAt + i * 4L, i);
    }
    timespec = arena.allocate(16, 8);
    waitArgument = arena.allocate(24, 8);
    waitArgument.set(JAVA_LONG, 16, timespec.address());
  }

  /** The mode of task running, for people. */
  String mode() {
    return mode;
  }

  /**
   * Where a free submission entry is, cleared; fill it in before the next call. Submits what is
   * there when the queue is full.
   */
  long nextEntry() {
    if (sqTail - (int) INT.getAcquire(rings, sqHeadAt) == sqEntries) {
      enter(0, 0);
      Check.that(sqTail - (int) INT.getAcquire(rings, sqHeadAt) < sqEntries, "io_uring takes no submissions");
    }
    long at = (long) (sqTail++ & sqMask) * SQE_BYTES;
    for (int i = 0; i < SQE_BYTES; i += 8) {
      sqes.set(JAVA_LONG, at + i, 0);
    }
    return at;
  }

  /** Fills in the entry at {@code at}. */
  void fill(long at, int op, int target, long offset, long address, int length, int opFlags, long userData) {
    sqes.set(JAVA_BYTE, at, (byte) op);
    sqes.set(JAVA_INT, at + 4, target);
    sqes.set(JAVA_LONG, at + 8, offset);
    sqes.set(JAVA_LONG, at + 16, address);
    sqes.set(JAVA_INT, at + 24, length);
    sqes.set(JAVA_INT, at + 28, opFlags);
    sqes.set(JAVA_LONG, at + 32, userData);
  }

  /** Whether entries wait to be submitted, or the kernel has completions that it only shows when entered. */
  boolean needsEnter() {
    return submitted != sqTail || ((int) INT.getOpaque(rings, sqFlagsAt) & (SQ_TASKRUN | SQ_CQ_OVERFLOW)) != 0;
  }

  /** Submits what waits, lets the kernel finish what it has deferred, and does not wait. */
  void enterNow() {
    enter(0, ENTER_GETEVENTS);
  }

  /** As {@link #enterNow}, and waits for a completion up to {@code timeoutNs}, or for ever if that is negative. */
  void enterAndWait(long timeoutNs) {
    if (timeoutNs < 0) {
      enter(1, ENTER_GETEVENTS);
      return;
    }
    timespec.set(JAVA_LONG, 0, timeoutNs / 1_000_000_000L);
    timespec.set(JAVA_LONG, 8, timeoutNs % 1_000_000_000L);
    enter(1, ENTER_GETEVENTS | ENTER_EXT_ARG);
  }

  private void enter(int minComplete, int flags) {
    INT.setRelease(rings, sqTailAt, sqTail);
    boolean timed = (flags & ENTER_EXT_ARG) != 0;
    long result = libc.trySyscall(Abi.SYS_IO_URING_ENTER, fd, sqTail - submitted, minComplete, flags,
        timed ? waitArgument.address() : 0, timed ? 24 : 0);
    // The kernel's head and not the result says what was taken: a call that was cut short may have taken some.
    submitted = (int) INT.getAcquire(rings, sqHeadAt);
    if (result < 0) {
      // Out of time, mostly. Once more without waiting, for the reason if there is another one.
      result = libc.syscall(Abi.SYS_IO_URING_ENTER, fd, sqTail - submitted, 0, ENTER_GETEVENTS, 0, 0);
      submitted = (int) INT.getAcquire(rings, sqHeadAt);
    }
    if (result < 0) {
      switch ((int) -result) {
        // Out of time, interrupted, or short of memory or of room for completions: the next turn tries again.
        case Errno.ETIME, Errno.EINTR, Errno.EAGAIN, Errno.EBUSY, Errno.ENOMEM -> {
        }
        default -> throw new RemoraException(Status.INTERNAL, "io_uring_enter: " + Errno.text((int) -result));
      }
    }
  }

  /** Whether a completion is there to be looked at. */
  boolean hasCompletion() {
    return cqHead != (int) INT.getAcquire(rings, cqTailAt);
  }

  /** How many completions are there. */
  int completions() {
    return (int) INT.getAcquire(rings, cqTailAt) - cqHead;
  }

  long userData() {
    return rings.get(JAVA_LONG, completionAt());
  }

  int result() {
    return rings.get(JAVA_INT, completionAt() + 8);
  }

  int flags() {
    return rings.get(JAVA_INT, completionAt() + 12);
  }

  /** Gives the first completion's place back to the kernel. */
  void drop() {
    INT.setRelease(rings, cqHeadAt, ++cqHead);
  }

  private long completionAt() {
    return cqesAt + (cqHead & cqMask) * 16L;
  }

  void close() {
    libc.munmap(rings.address(), rings.byteSize());
    libc.munmap(sqes.address(), sqes.byteSize());
    libc.close(fd);
  }

  private int setup(MemorySegment params, int entries, int flags) {
    params.fill((byte) 0);
    params.set(JAVA_INT, 8, flags);
    params.set(JAVA_INT, 4, entries * 16);
    return (int) libc.syscall(Abi.SYS_IO_URING_SETUP, entries, params.address(), 0, 0, 0, 0);
  }

  @SuppressWarnings("restricted")
  private MemorySegment map(long bytes, long offset) {
    long address = libc.mmap(bytes, Abi.PROT_READ_WRITE, Abi.MAP_SHARED_POPULATE, fd, offset);
    if (address < 0) {
      libc.close(fd);
      throw unavailable("mmap of an io_uring: " + Errno.text((int) -address));
    }
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  private static String reason(int errno) {
    return switch (errno) {
      case Errno.ENOSYS -> "this kernel has no io_uring";
      case Errno.EPERM, Errno.EACCES ->
        "not permitted here: a seccomp filter of the container, or the sysctl kernel.io_uring_disabled";
      case Errno.ENOMEM -> "out of locked memory, see ulimit -l";
      default -> Errno.text(errno);
    };
  }

  private static RemoraException unavailable(String reason) {
    return new RemoraException(Status.UNSUPPORTED, reason);
  }
}
