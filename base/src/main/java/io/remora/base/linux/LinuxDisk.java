package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The disks and files of this machine, opened for one {@link LinuxLoop}. */
final class LinuxDisk implements Disk {
  private static final int STATX_BYTES = 256;
  private static final int STATX_BASIC_AND_DIOALIGN = 0x7ff | 0x2000;
  private static final int STATX_DIOALIGN = 0x2000;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int TYPE_MASK = 0xf000;
  private static final int TYPE_REGULAR = 0x8000;
  private static final int TYPE_BLOCK = 0x6000;
  private static final int MIN_BLOCK = 512;
  private static final int MAX_BLOCK = 4096;

  /** What {@code statx} says of an open file. */
  private record Stat(boolean regular, boolean device, long deviceNumber, long inode, long sizeBytes,
      int directMemory, int directOffset, boolean directKnown) {
    OpenFiles.Identity identity() {
      return new OpenFiles.Identity(device, deviceNumber, device ? 0 : inode);
    }
  }

  private final LinuxLoop loop;
  private final DiskQueue queue;
  private final OpenFiles files;
  private final Libc libc;

  LinuxDisk(LinuxLoop loop, DiskQueue queue, OpenFiles files) {
    this.files = files;
    this.loop = loop;
    this.queue = queue;
    this.libc = loop.libc();
  }

  @Override
  public DiskFile open(Path path, Mode mode) {
    assert loop.inLoop();
    boolean writable = mode == Mode.WRITE || mode == Mode.CREATE;
    int flags = (writable ? Abi.O_RDWR : Abi.O_RDONLY) | Abi.O_CLOEXEC;
    int fd = openPath(libc, path, flags, 0);
    if (fd == -Errno.ENOENT && mode == Mode.CREATE) {
      fd = create(path, flags);
    }
    if (fd < 0) {
      throw Errno.file("open " + path, -fd);
    }
    try {
      return opened(path, fd, mode, writable);
    } catch (RemoraException e) {
      libc.close(fd);
      throw e;
    }
  }

  private int create(Path path, int flags) {
    int fd = openPath(libc, path, flags | Abi.O_CREAT, 0600);
    if (fd >= 0) {
      SmallFiles.syncDirectory(libc, path);
    }
    return fd;
  }

  private DiskFile opened(Path path, int fd, Mode mode, boolean writable) {
    Stat stat = stat(path, fd);
    if (!stat.regular && !stat.device) {
      throw new RemoraException(Status.INVALID, path + ": neither a regular file nor a block device");
    }
    long sizeBytes = sizeBytes(libc, path, fd, stat.device);
    OpenFiles.Shared shared = files.share(libc, path, fd, stat.identity(), mode,
        stat.regular && sizeBytes == 0);
    try {
      boolean canDeallocate = writable
          && (stat.device ? deviceZeroes(stat.deviceNumber) : punchesHoles(fd, sizeBytes));
      LinuxFile.Facts facts = facts(path, fd, stat, writable, canDeallocate);
      return new LinuxFile(loop, queue, shared, facts, fd, sizeBytes);
    } catch (RemoraException e) {
      shared.release(libc);
      throw e;
    }
  }

  /** Turns O_DIRECT on where that means something, and finds out the units of I/O. */
  private LinuxFile.Facts facts(Path path, int fd, Stat stat, boolean writable, boolean canDeallocate) {
    int block = MIN_BLOCK;
    int memory = 1;
    boolean direct = true;
    if (stat.device) {
      block = sectorBytes(path, fd);
      memory = block;
    } else if (stat.directKnown) {
      block = Math.max(MIN_BLOCK, stat.directOffset);
      memory = Math.max(1, stat.directMemory);
      direct = stat.directOffset > 0 && stat.directOffset <= MAX_BLOCK;
    } else {
      // An older kernel or a file system that does not say: a page is enough for all that exist.
      block = MAX_BLOCK;
      memory = MAX_BLOCK;
      direct = !inMemory(fd);
    }
    direct = direct && libc.fcntl(fd, Abi.F_SETFL, flags(writable) | Abi.O_DIRECT) >= 0;
    if (block > MAX_BLOCK) {
      throw new RemoraException(Status.UNSUPPORTED, path + ": blocks of " + block + " bytes");
    }
    return direct
        ? new LinuxFile.Facts(path, stat.device, writable, true, block, memory, canDeallocate)
        : new LinuxFile.Facts(path, stat.device, writable, false, stat.device ? block : MIN_BLOCK, 1, canDeallocate);
  }

  private static int flags(boolean writable) {
    return writable ? Abi.O_RDWR : Abi.O_RDONLY;
  }

  @Override
  public Optional<byte[]> load(Path path) {
    assert loop.inLoop();
    return SmallFiles.load(libc, path);
  }

  @Override
  public void store(Path path, byte[] content) {
    assert loop.inLoop();
    SmallFiles.store(libc, path, content);
  }

  @Override
  public void delete(Path path) {
    assert loop.inLoop();
    SmallFiles.delete(libc, path);
  }

  /** As {@code open(2)}: a descriptor or a negated error number. */
  static int openPath(Libc libc, Path path, int flags, int permissions) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom(path.toString());
      int fd = libc.open(name.address(), flags, permissions);
      while (fd == -Errno.EINTR) {
        fd = libc.open(name.address(), flags, permissions);
      }
      return fd;
    }
  }

  static long sizeBytes(Libc libc, Path path, int fd, boolean device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(STATX_BYTES, 8);
      MemorySegment empty = arena.allocate(8);
      int result = device
          ? libc.ioctl(fd, Abi.BLKGETSIZE64, target.address())
          : libc.statx(fd, empty.address(), AT_EMPTY_PATH, 0x7ff, target.address());
      if (result < 0) {
        throw Errno.file("size of " + path, -result);
      }
      return target.get(JAVA_LONG, device ? 0 : 40);
    }
  }

  private Stat stat(Path path, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(STATX_BYTES, 8);
      MemorySegment empty = arena.allocate(8);
      int result = libc.statx(fd, empty.address(), AT_EMPTY_PATH, STATX_BASIC_AND_DIOALIGN, target.address());
      if (result < 0) {
        throw Errno.file("statx " + path, -result);
      }
      int type = target.get(JAVA_SHORT, 28) & TYPE_MASK;
      boolean device = type == TYPE_BLOCK;
      long numberAt = device ? 128 : 136;
      long number = (long) target.get(JAVA_INT, numberAt) << 32 | target.get(JAVA_INT, numberAt + 4);
      boolean known = (target.get(JAVA_INT, 0) & STATX_DIOALIGN) != 0;
      return new Stat(type == TYPE_REGULAR, device, number, target.get(JAVA_LONG, 32), target.get(JAVA_LONG, 40),
          target.get(JAVA_INT, 152), target.get(JAVA_INT, 156), known);
    }
  }

  private int sectorBytes(Path path, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(8, 8);
      int result = libc.ioctl(fd, Abi.BLKSSZGET, target.address());
      if (result < 0) {
        throw Errno.file("block size of " + path, -result);
      }
      return target.get(JAVA_INT, 0);
    }
  }

  private boolean inMemory(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(120, 8);
      if (libc.fstatfs(fd, target.address()) < 0) {
        return false;
      }
      long type = target.get(JAVA_LONG, 0) & 0xffffffffL;
      return type == Abi.TMPFS_MAGIC || type == Abi.RAMFS_MAGIC;
    }
  }

  /** Tries it on a block behind the end, where there is nothing to lose. */
  private boolean punchesHoles(int fd, long sizeBytes) {
    long behind = (sizeBytes + (1L << 20)) & -(1L << 20);
    return libc.fallocate(fd, Abi.FALLOC_FL_PUNCH_HOLE | Abi.FALLOC_FL_KEEP_SIZE, behind, MAX_BLOCK) >= 0;
  }

  /** Whether the device zeroes ranges by itself, which is what the kernel asks before it punches a hole in one. */
  private static boolean deviceZeroes(long number) {
    Path device = Path.of("/sys/dev/block/" + (number >>> 32) + ":" + (int) number);
    return readLong(device.resolve("queue/write_zeroes_max_bytes")) > 0
        || readLong(device.resolve("../queue/write_zeroes_max_bytes")) > 0;
  }

  private static long readLong(Path file) {
    try {
      return Long.parseLong(Files.readString(file).strip());
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }
}
