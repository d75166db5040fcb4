package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Check;
import io.remora.base.Disk;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Small files, read and replaced whole, blocking. From any thread; replacing is one at a time per process, because the new
 * content first goes to a file whose name is derived from the old one's, so that a crash leaves no more than one behind.
 */
final class SmallFiles {
  private SmallFiles() {}

  static Optional<byte[]> load(Libc libc, Path path) {
    int fd = LinuxDisk.openPath(libc, path, Abi.O_RDONLY | Abi.O_CLOEXEC, 0);
    if (fd == -Errno.ENOENT) {
      return Optional.empty();
    }
    check("open", path, fd);
    try (Arena arena = Arena.ofConfined()) {
      long size = LinuxDisk.sizeBytes(libc, path, fd, false);
      Check.argument(size <= Disk.SMALL_FILE_BYTES, "%s: %d bytes are too many for a small file", path, size);
      MemorySegment content = arena.allocate(Math.max(size, 1));
      long done = 0;
      while (done < size) {
        long result = libc.pread(fd, content.address() + done, size - done, done);
        if (result != -Errno.EINTR) {
          check("read", path, result);
          if (result == 0) {
            break;
          }
          done += result;
        }
      }
      return Optional.of(content.asSlice(0, done).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
    } finally {
      libc.close(fd);
    }
  }

  static synchronized void store(Libc libc, Path path, byte[] content) {
    Check.argument(content.length <= Disk.SMALL_FILE_BYTES, "%s: %d bytes are too many for a small file", path,
        content.length);
    Path temporary = path.resolveSibling("." + path.getFileName() + ".new");
    try {
      write(libc, temporary, content);
      rename(libc, temporary, path);
    } catch (RemoraException e) {
      unlink(libc, temporary);
      throw e;
    }
    syncDirectory(libc, path);
  }

  static void delete(Libc libc, Path path) {
    int result = unlink(libc, path);
    if (result != -Errno.ENOENT) {
      check("delete", path, result);
      syncDirectory(libc, path);
    }
  }

  /** Makes the name of {@code path} durable. */
  static void syncDirectory(Libc libc, Path path) {
    Path parent = path.toAbsolutePath().getParent();
    Path directory = parent == null ? Path.of("/") : parent;
    int fd = LinuxDisk.openPath(libc, directory, Abi.O_RDONLY | Abi.O_DIRECTORY | Abi.O_CLOEXEC, 0);
    check("open", directory, fd);
    int result = libc.fsync(fd);
    libc.close(fd);
    // Some file systems cannot sync a directory and do not need it.
    if (result != -Errno.EINVAL) {
      check("sync", directory, result);
    }
  }

  private static void write(Libc libc, Path path, byte[] content) {
    int fd = LinuxDisk.openPath(libc, path, Abi.O_WRONLY | Abi.O_CREAT | Abi.O_TRUNC | Abi.O_CLOEXEC, 0600);
    check("create", path, fd);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(Math.max(content.length, 1));
      MemorySegment.copy(MemorySegment.ofArray(content), 0, memory, 0, content.length);
      MemorySegment iovec = arena.allocate(16, 8);
      long done = 0;
      while (done < content.length) {
        iovec.set(JAVA_LONG, 0, memory.address() + done);
        iovec.set(JAVA_LONG, 8, content.length - done);
        long result = libc.pwritev2(fd, iovec.address(), 1, done, 0);
        if (result != -Errno.EINTR) {
          check("write", path, result);
          done += result;
        }
      }
      check("sync", path, libc.fsync(fd));
    } finally {
      libc.close(fd);
    }
  }

  private static void rename(Libc libc, Path from, Path to) {
    try (Arena arena = Arena.ofConfined()) {
      check("replace", to,
          libc.rename(arena.allocateFrom(from.toString()).address(), arena.allocateFrom(to.toString()).address()));
    }
  }

  private static int unlink(Libc libc, Path path) {
    try (Arena arena = Arena.ofConfined()) {
      return libc.unlink(arena.allocateFrom(path.toString()).address());
    }
  }

  private static void check(String what, Path path, long result) {
    if (result < 0) {
      RemoraException e = Errno.file(what + " " + path, (int) -result);
      throw e.status() == Status.INTERNAL ? new RemoraException(Status.MEDIUM_ERROR, e.getMessage(), e) : e;
    }
  }
}
