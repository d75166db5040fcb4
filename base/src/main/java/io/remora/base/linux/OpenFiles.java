package io.remora.base.linux;

import io.remora.base.Disk;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The files that a set of loops has open, each counted once for all loops: they share one lock against other processes,
 * and the memory of a failed flush. From any thread, on control operations only.
 *
 * <p>A lock of flock belongs to an open file description, so the kernel would refuse a second one even to ourselves: the first
 * opener's is locked and kept by a duplicate of its descriptor until the last one has closed the file.
 */
final class OpenFiles {
  /** What identifies a file: device and inode, or the number of the device that it stands for. */
  record Identity(boolean device, long deviceNumber, long inode) {}

  private final Map<Identity, Shared> open = new HashMap<>();

  /** One file, open at least once. */
  final class Shared {
    private final Identity identity;
    private final boolean createdEmpty;
    private int users;
    private int lockFd = -1;
    private boolean exclusive;
    private volatile boolean flushFailed;

    private Shared(Identity identity, boolean createdEmpty) {
      this.identity = identity;
      this.createdEmpty = createdEmpty;
    }

    boolean createdEmpty() {
      return createdEmpty;
    }

    void flushFailed() {
      flushFailed = true;
    }

    boolean flushHasFailed() {
      return flushFailed;
    }

    /** One user less; with the last one the lock goes. */
    void release(Libc libc) {
      synchronized (open) {
        if (--users == 0) {
          open.remove(identity);
          if (lockFd >= 0) {
            libc.close(lockFd);
          }
        }
      }
    }
  }

  /**
   * Counts a user of the file that {@code fd} has open, and locks it as {@code mode} asks.
   *
   * @throws RemoraException {@link Status#BUSY} when another process has the lock
   */
  Shared share(Libc libc, Path path, int fd, Identity identity, Disk.Mode mode, boolean empty) {
    synchronized (open) {
      Shared shared = open.computeIfAbsent(identity, id -> new Shared(id, empty));
      shared.users++;
      boolean exclusive = mode == Disk.Mode.WRITE || mode == Disk.Mode.CREATE;
      boolean held = shared.lockFd >= 0 && (shared.exclusive || !exclusive);
      if (mode != Disk.Mode.READ && !held) {
        try {
          if (shared.lockFd >= 0) {
            libc.close(shared.lockFd);
            shared.lockFd = -1;
          }
          shared.lockFd = lock(libc, path, fd, identity.device(), exclusive);
          shared.exclusive = exclusive;
        } catch (RemoraException e) {
          shared.release(libc);
          throw e;
        }
      }
      return shared;
    }
  }

  /** A descriptor that holds the lock: for a device one opened exclusively, so that what is mounted is not written to either. */
  private static int lock(Libc libc, Path path, int fd, boolean device, boolean exclusive) {
    int lockFd = device
        ? LinuxDisk.openPath(libc, path, (exclusive ? Abi.O_RDWR : Abi.O_RDONLY) | Abi.O_EXCL | Abi.O_CLOEXEC, 0)
        : libc.fcntl(fd, Abi.F_DUPFD_CLOEXEC, 0);
    if (lockFd == -Errno.EBUSY) {
      throw new RemoraException(Status.BUSY, path + ": in use, mounted perhaps; see lsblk " + path);
    }
    if (lockFd < 0) {
      throw Errno.file("lock " + path, -lockFd);
    }
    int result = libc.flock(lockFd, exclusive ? Abi.LOCK_EX_NB : Abi.LOCK_SH_NB);
    if (result < 0) {
      libc.close(lockFd);
      if (result == -Errno.EAGAIN) {
        throw new RemoraException(Status.BUSY, path + ": in use, another process has it open"
            + (exclusive ? "" : " for writing") + "; see lslocks or fuser " + path);
      }
      throw Errno.file("lock " + path, -result);
    }
    return lockFd;
  }
}
