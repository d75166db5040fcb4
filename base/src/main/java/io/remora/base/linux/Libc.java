package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The C library, one object per thread: the object holds the place where the linker stores errno.
 *
 * <p>Every method is the function of its name. The result is the function's, or the negated error number. Pointers are plain
 * addresses, so that a call costs no liveness check and no object; whoever calls keeps the memory alive. All functions take
 * and give 64 or 32 bits as the C library of 64-bit Linux does.
 *
 * <p>A call that has errno stored allocates 40 bytes in the JDK wherever its compiler does not inline a check of that place. The
 * functions of the data path whose names begin with {@code try} have nothing stored, and so never allocate: they give -1 for any
 * failure, and who needs the reason makes the call once more by the method that tells it.
 */
final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
  private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
  private static final MemoryLayout I = JAVA_INT;
  private static final MemoryLayout L = JAVA_LONG;

  private static final MethodHandle SOCKET = find("socket", I, I, I, I);
  private static final MethodHandle BIND = find("bind", I, I, L, I);
  private static final MethodHandle LISTEN = find("listen", I, I, I);
  private static final MethodHandle ACCEPT4 = find("accept4", I, I, L, L, I);
  private static final MethodHandle CONNECT = find("connect", I, I, L, I);
  private static final MethodHandle GETSOCKNAME = find("getsockname", I, I, L, L);
  private static final MethodHandle GETPEERNAME = find("getpeername", I, I, L, L);
  private static final MethodHandle GETSOCKOPT = find("getsockopt", I, I, I, I, L, L);
  private static final MethodHandle SETSOCKOPT = find("setsockopt", I, I, I, I, L, I);
  private static final MethodHandle RECV = find("recv", L, I, L, L, I);
  private static final MethodHandle SEND = find("send", L, I, L, L, I);
  private static final MethodHandle SENDMSG = find("sendmsg", L, I, L, I);
  private static final MethodHandle TRY_RECV = plain("recv", L, I, L, L, I);
  private static final MethodHandle TRY_SEND = plain("send", L, I, L, L, I);
  private static final MethodHandle TRY_SENDMSG = plain("sendmsg", L, I, L, I);
  private static final MethodHandle TRY_POLL = plain("poll", I, L, L, I);
  private static final MethodHandle TRY_EPOLL_WAIT = plain("epoll_wait", I, I, L, I, I);
  private static final MethodHandle TRY_WRITE = plain("write", L, I, L, L);
  private static final MethodHandle RECVFROM = find("recvfrom", L, I, L, L, I, L, L);
  private static final MethodHandle RECVMSG = find("recvmsg", L, I, L, I);
  private static final MethodHandle TRY_RECVMSG = plain("recvmsg", L, I, L, I);
  private static final MethodHandle MEMFD_CREATE = find("memfd_create", I, L, I);
  private static final MethodHandle LSEEK = find("lseek", L, I, L, I);
  private static final MethodHandle GETEUID = plain("geteuid", I);
  private static final MethodHandle SHUTDOWN = find("shutdown", I, I, I);
  private static final MethodHandle CLOSE = find("close", I, I);
  private static final MethodHandle EPOLL_CREATE1 = find("epoll_create1", I, I);
  private static final MethodHandle EPOLL_CTL = find("epoll_ctl", I, I, I, I, L);
  private static final MethodHandle EPOLL_WAIT = find("epoll_wait", I, I, L, I, I);
  private static final MethodHandle EVENTFD = find("eventfd", I, I, I);
  private static final MethodHandle OPEN = variadic("open", 2, I, L, I, I);
  private static final MethodHandle FCNTL = variadic("fcntl", 2, I, I, I, I);
  private static final MethodHandle IOCTL = variadic("ioctl", 2, I, I, L, L);
  private static final MethodHandle STATX = find("statx", I, I, L, I, I, L);
  private static final MethodHandle FSTATFS = find("fstatfs", I, I, L);
  private static final MethodHandle PREAD = find("pread", L, I, L, L, L);
  private static final MethodHandle PREADV = find("preadv", L, I, L, I, L);
  private static final MethodHandle PWRITEV2 = find("pwritev2", L, I, L, I, L, I);
  private static final MethodHandle FSYNC = find("fsync", I, I);
  private static final MethodHandle FDATASYNC = find("fdatasync", I, I);
  private static final MethodHandle FALLOCATE = find("fallocate", I, I, I, L, L);
  private static final MethodHandle FTRUNCATE = find("ftruncate", I, I, L);
  private static final MethodHandle FLOCK = find("flock", I, I, I);
  private static final MethodHandle RENAME = find("rename", I, L, L);
  private static final MethodHandle UNLINK = find("unlink", I, L);
  private static final MethodHandle MMAP = find("mmap", L, L, L, I, I, I, L);
  private static final MethodHandle MUNMAP = find("munmap", I, L, L);
  private static final MethodHandle SCHED_SETAFFINITY = find("sched_setaffinity", I, I, L, L);
  private static final MethodHandle SYSCALL = variadic("syscall", 1, L, L, L, L, L, L, L, L);
  private static final MethodHandle TRY_PREAD = plain("pread", L, I, L, L, L);
  private static final MethodHandle TRY_PREADV = plain("preadv", L, I, L, I, L);
  private static final MethodHandle TRY_PWRITEV2 = plain("pwritev2", L, I, L, I, L, I);
  private static final MethodHandle TRY_SYSCALL = link("syscall", FunctionDescriptor.of(L, L, L, L, L, L, L, L),
      Linker.Option.firstVariadicArg(1));

  private final MemorySegment state = Arena.ofAuto().allocate(STATE);

  int socket(int domain, int type, int protocol) {
    try {
      return of((int) SOCKET.invokeExact(state, domain, type, protocol));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int bind(int fd, long address, int length) {
    try {
      return of((int) BIND.invokeExact(state, fd, address, length));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int listen(int fd, int backlog) {
    try {
      return of((int) LISTEN.invokeExact(state, fd, backlog));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int accept4(int fd, long address, long addressLength, int flags) {
    try {
      return of((int) ACCEPT4.invokeExact(state, fd, address, addressLength, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int connect(int fd, long address, int length) {
    try {
      return of((int) CONNECT.invokeExact(state, fd, address, length));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int getsockname(int fd, long address, long addressLength) {
    try {
      return of((int) GETSOCKNAME.invokeExact(state, fd, address, addressLength));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int getpeername(int fd, long address, long addressLength) {
    try {
      return of((int) GETPEERNAME.invokeExact(state, fd, address, addressLength));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int getsockopt(int fd, int level, int name, long value, long valueLength) {
    try {
      return of((int) GETSOCKOPT.invokeExact(state, fd, level, name, value, valueLength));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int setsockopt(int fd, int level, int name, long value, int valueLength) {
    try {
      return of((int) SETSOCKOPT.invokeExact(state, fd, level, name, value, valueLength));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long recv(int fd, long address, long length, int flags) {
    try {
      return of((long) RECV.invokeExact(state, fd, address, length, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long send(int fd, long address, long length, int flags) {
    try {
      return of((long) SEND.invokeExact(state, fd, address, length, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long sendmsg(int fd, long message, int flags) {
    try {
      return of((long) SENDMSG.invokeExact(state, fd, message, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #recv}; -1 when it fails. */
  long tryRecv(int fd, long address, long length, int flags) {
    try {
      return (long) TRY_RECV.invokeExact(fd, address, length, flags);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** The function poll; -1 when it fails. */
  int tryPoll(long descriptors, long count, int timeoutMs) {
    try {
      return (int) TRY_POLL.invokeExact(descriptors, count, timeoutMs);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #send}; -1 when it fails. */
  long trySend(int fd, long address, long length, int flags) {
    try {
      return (long) TRY_SEND.invokeExact(fd, address, length, flags);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #sendmsg}; -1 when it fails. */
  long trySendmsg(int fd, long message, int flags) {
    try {
      return (long) TRY_SENDMSG.invokeExact(fd, message, flags);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #epollWait}; -1 when it fails. */
  int tryEpollWait(int epoll, long events, int max, int timeoutMs) {
    try {
      return (int) TRY_EPOLL_WAIT.invokeExact(epoll, events, max, timeoutMs);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** The function {@code write}; -1 when it fails. */
  long tryWrite(int fd, long address, long length) {
    try {
      return (long) TRY_WRITE.invokeExact(fd, address, length);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #syscall}; -1 when it fails. */
  long trySyscall(long number, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) TRY_SYSCALL.invokeExact(number, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw unreachable(t);
    }
  }

  /** As {@link #pread}; -1 when it fails. */
  long tryPread(int fd, long address, long length, long offset) {
    try {
      return (long) TRY_PREAD.invokeExact(fd, address, length, offset);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #preadv}; -1 when it fails. */
  long tryPreadv(int fd, long iovecs, int count, long offset) {
    try {
      return (long) TRY_PREADV.invokeExact(fd, iovecs, count, offset);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #pwritev2}; -1 when it fails. */
  long tryPwritev2(int fd, long iovecs, int count, long offset, int flags) {
    try {
      return (long) TRY_PWRITEV2.invokeExact(fd, iovecs, count, offset, flags);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long recvfrom(int fd, long target, long length, int flags, long address, long addressLength) {
    try {
      return of((long) RECVFROM.invokeExact(state, fd, target, length, flags, address, addressLength));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long recvmsg(int fd, long message, int flags) {
    try {
      return of((long) RECVMSG.invokeExact(state, fd, message, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  /** As {@link #recvmsg}; -1 when it fails. */
  long tryRecvmsg(int fd, long message, int flags) {
    try {
      return (long) TRY_RECVMSG.invokeExact(fd, message, flags);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int memfdCreate(long name, int flags) {
    try {
      return of((int) MEMFD_CREATE.invokeExact(state, name, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long lseek(int fd, long offset, int whence) {
    try {
      return of((long) LSEEK.invokeExact(state, fd, offset, whence));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int geteuid() {
    try {
      return (int) GETEUID.invokeExact();
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int shutdown(int fd, int how) {
    try {
      return of((int) SHUTDOWN.invokeExact(state, fd, how));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int close(int fd) {
    try {
      return of((int) CLOSE.invokeExact(state, fd));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int epollCreate1(int flags) {
    try {
      return of((int) EPOLL_CREATE1.invokeExact(state, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int epollCtl(int epoll, int op, int fd, long event) {
    try {
      return of((int) EPOLL_CTL.invokeExact(state, epoll, op, fd, event));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int epollWait(int epoll, long events, int max, int timeoutMs) {
    try {
      return of((int) EPOLL_WAIT.invokeExact(state, epoll, events, max, timeoutMs));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int eventfd(int value, int flags) {
    try {
      return of((int) EVENTFD.invokeExact(state, value, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int open(long path, int flags, int permissions) {
    try {
      return of((int) OPEN.invokeExact(state, path, flags, permissions));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int fcntl(int fd, int command, int argument) {
    try {
      return of((int) FCNTL.invokeExact(state, fd, command, argument));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int ioctl(int fd, long request, long argument) {
    try {
      return of((int) IOCTL.invokeExact(state, fd, request, argument));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int statx(int directory, long path, int flags, int mask, long target) {
    try {
      return of((int) STATX.invokeExact(state, directory, path, flags, mask, target));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int fstatfs(int fd, long target) {
    try {
      return of((int) FSTATFS.invokeExact(state, fd, target));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long pread(int fd, long address, long length, long offset) {
    try {
      return of((long) PREAD.invokeExact(state, fd, address, length, offset));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long preadv(int fd, long iovecs, int count, long offset) {
    try {
      return of((long) PREADV.invokeExact(state, fd, iovecs, count, offset));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long pwritev2(int fd, long iovecs, int count, long offset, int flags) {
    try {
      return of((long) PWRITEV2.invokeExact(state, fd, iovecs, count, offset, flags));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int fsync(int fd) {
    try {
      return of((int) FSYNC.invokeExact(state, fd));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int fdatasync(int fd) {
    try {
      return of((int) FDATASYNC.invokeExact(state, fd));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int fallocate(int fd, int mode, long offset, long length) {
    try {
      return of((int) FALLOCATE.invokeExact(state, fd, mode, offset, length));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int ftruncate(int fd, long length) {
    try {
      return of((int) FTRUNCATE.invokeExact(state, fd, length));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int flock(int fd, int operation) {
    try {
      return of((int) FLOCK.invokeExact(state, fd, operation));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int rename(long from, long to) {
    try {
      return of((int) RENAME.invokeExact(state, from, to));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int unlink(long path) {
    try {
      return of((int) UNLINK.invokeExact(state, path));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long mmap(long length, int protection, int flags, int fd, long offset) {
    try {
      long address = (long) MMAP.invokeExact(state, 0L, length, protection, flags, fd, offset);
      return of(address);
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int munmap(long address, long length) {
    try {
      return of((int) MUNMAP.invokeExact(state, address, length));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  int schedSetaffinity(int thread, long maskBytes, long mask) {
    try {
      return of((int) SCHED_SETAFFINITY.invokeExact(state, thread, maskBytes, mask));
    } catch (Throwable e) {
      throw unreachable(e);
    }
  }

  long syscall(long number, long a, long b, long c, long d, long e, long f) {
    try {
      return of((long) SYSCALL.invokeExact(state, number, a, b, c, d, e, f));
    } catch (Throwable t) {
      throw unreachable(t);
    }
  }

  private int of(int result) {
    return result >= 0 ? result : -state.get(JAVA_INT, ERRNO);
  }

  private long of(long result) {
    return result >= 0 ? result : -state.get(JAVA_INT, ERRNO);
  }

  private static MethodHandle find(String name, MemoryLayout result, MemoryLayout... arguments) {
    return link(name, FunctionDescriptor.of(result, arguments), CAPTURE);
  }

  private static MethodHandle plain(String name, MemoryLayout result, MemoryLayout... arguments) {
    return link(name, FunctionDescriptor.of(result, arguments));
  }

  private static MethodHandle variadic(String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
    return link(name, FunctionDescriptor.of(result, arguments), CAPTURE, Linker.Option.firstVariadicArg(fixed));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle link(String name, FunctionDescriptor type, Linker.Option... options) {
    MemorySegment function = LINKER.defaultLookup().find(name)
        .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no " + name));
    return LINKER.downcallHandle(function, type, options);
  }

  private static AssertionError unreachable(Throwable e) {
    return new AssertionError("a C function cannot throw", e);
  }
}
