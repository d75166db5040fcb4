package io.remora.base.linux;

import io.remora.base.Local;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * Memory that other processes can map: files that live in memory alone (memfd), sealed so that their size stays. From any thread.
 *
 * <p>The one list of them is the process's, as its addresses are: a piece of memory may be registered on another loop than the one that it came from.
 */
final class Memfds {
  private static final long PAGE_BYTES = 4096;
  private static final int SIZE_SEALS = Abi.F_SEAL_SHRINK | Abi.F_SEAL_GROW;
  private static final MemorySegment NAME = Arena.global().allocateFrom("remora");
  private static final ConcurrentSkipListMap<Long, Local.SharedMemory> BY_ADDRESS = new ConcurrentSkipListMap<>();

  private Memfds() {}

  static MemorySegment allocate(Arena arena, long bytes, boolean shared) {
    if (bytes < 1 || bytes > Long.MAX_VALUE - PAGE_BYTES) {
      throw new RemoraException(Status.INVALID, bytes + " bytes of shared memory");
    }
    long size = (bytes + PAGE_BYTES - 1) & -PAGE_BYTES;
    Libc libc = new Libc();
    int fd = libc.memfdCreate(NAME.address(), Abi.MFD_CLOEXEC | Abi.MFD_ALLOW_SEALING);
    if (fd < 0) {
      throw Errno.file("memfd_create", -fd);
    }
    try {
      check("ftruncate", libc.ftruncate(fd, size));
      // A page that is missing later would be a signal and not an error.
      check("fallocate", libc.fallocate(fd, 0, 0, size));
      MemorySegment whole = mmap(libc, fd, size, true, arena, address -> free(address, size, fd));
      BY_ADDRESS.put(whole.address(), new Local.SharedMemory(whole, fd));
      int seals = SIZE_SEALS | Abi.F_SEAL_SEAL | (shared ? 0 : Abi.F_SEAL_FUTURE_WRITE);
      int result = libc.fcntl(fd, Abi.F_ADD_SEALS, seals);
      if (result < 0) {
        // The mapping and the descriptor are the arena's by now.
        throw Errno.file("F_ADD_SEALS", -result);
      }
      return whole.asSlice(0, bytes);
    } catch (Unmapped e) {
      libc.close(fd);
      throw e;
    }
  }

  static Local.@Nullable SharedMemory find(MemorySegment memory) {
    if (!memory.isNative()) {
      return null;
    }
    Map.Entry<Long, Local.SharedMemory> entry = BY_ADDRESS.floorEntry(memory.address());
    if (entry == null) {
      return null;
    }
    long from = memory.address() - entry.getKey();
    long size = entry.getValue().whole().byteSize();
    return from <= size && memory.byteSize() <= size - from ? entry.getValue() : null;
  }

  static MemorySegment map(Arena arena, int fd, long bytes, boolean writable) {
    Libc libc = new Libc();
    try {
      int seals = libc.fcntl(fd, Abi.F_GET_SEALS, 0);
      long size = libc.lseek(fd, 0, Abi.SEEK_END);
      if (seals < 0 || (seals & Abi.F_SEAL_SHRINK) == 0 || size < bytes || bytes < 1) {
        throw new RemoraException(Status.PROTOCOL_ERROR, "a descriptor that should be " + bytes
            + " bytes of shared memory is "
            + (seals < 0 ? "something else" : "memory of " + size + " bytes, seals " + seals));
      }
      return mmap(libc, fd, bytes, writable, arena, address -> new Libc().munmap(address, bytes));
    } finally {
      libc.close(fd);
    }
  }

  /** What to do with a mapping at the end of its arena. */
  private interface End {
    void unmap(long address);
  }

  /** It did not come to a mapping. */
  private static final class Unmapped extends RemoraException {
    private static final long serialVersionUID = 1;

    Unmapped(RemoraException why) {
      super(why.status(), why.getMessage(), why);
    }
  }

  @SuppressWarnings("restricted")
  private static MemorySegment mmap(Libc libc, int fd, long bytes, boolean writable, Arena arena, End end) {
    long address = libc.mmap(bytes, writable ? Abi.PROT_READ_WRITE : Abi.PROT_READ, Abi.MAP_SHARED, fd, 0);
    if (address < 0) {
      throw new Unmapped(Errno.file("mmap of " + bytes + " bytes of shared memory", (int) -address));
    }
    MemorySegment all = MemorySegment.ofAddress(address).reinterpret(bytes, arena, whole -> end.unmap(whole.address()));
    return writable ? all : all.asReadOnly();
  }

  private static void free(long address, long size, int fd) {
    BY_ADDRESS.remove(address);
    Libc libc = new Libc();
    libc.munmap(address, size);
    libc.close(fd);
  }

  private static void check(String what, int result) {
    if (result < 0) {
      throw new Unmapped(Errno.file(what, -result));
    }
  }
}
