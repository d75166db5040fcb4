package io.remora.base;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The other processes of this machine, as one loop sees them: memory that they can map, sockets that carry messages and descriptors to them, and doorbells that wake their loops.
 *
 * <p>Sockets have names of the kernel's abstract namespace: nothing of them is on a disk, and the kernel frees a name with the process that has it. Such a name is seen in one network
 * namespace only, and by all users: so both ends refuse a process of another user.
 */
public interface Local {
  /** The longest name of a socket, in bytes of UTF-8. */
  int MAX_NAME_BYTES = 107;

  /** The longest message of a socket, in bytes. */
  int MAX_MESSAGE_BYTES = 64 << 10;

  /** The user that this process runs as. */
  int user();

  /**
   * New zeroed memory, aligned to pages, that other processes can map once they are given its descriptor. Its size never changes, so nobody can take it away from under those who have it
   * mapped; the kernel frees it when the last of them has unmapped it. From any thread.
   *
   * @param arena whose end unmaps it
   * @param bytes at least 1; rounded up to whole pages
   * @param shared whether others may write to it; only this mapping can when they may not
   * @throws RemoraException {@link Status#UNSUPPORTED} where the kernel has no such memory, {@link Status#NO_RESOURCES} when memory or descriptors are out
   */
  MemorySegment allocate(Arena arena, long bytes, boolean shared);

  /** The memory of {@link #allocate} or of a {@link BufferPool} of this process that {@code memory} lies in; null for any other memory. From any thread. */
  @Nullable
  SharedMemory find(MemorySegment memory);

  /**
   * Maps memory that another process has made, and closes {@code descriptor}, also when it fails.
   *
   * @param arena whose end unmaps it
   * @param bytes how much of it, from its beginning
   * @param writable whether this process may write to it
   * @throws RemoraException {@link Status#PROTOCOL_ERROR} when the descriptor is no such memory, is shorter, or could shrink; {@link Status#NO_RESOURCES}
   */
  MemorySegment map(Arena arena, int descriptor, long bytes, boolean writable);

  /**
   * Makes a doorbell of this loop's, by which another process can wake it.
   *
   * @throws RemoraException {@link Status#NO_RESOURCES} when descriptors are out
   */
  Doorbell newDoorbell();

  /**
   * Takes the doorbell of another process's loop, to ring it. Its descriptor is the doorbell's from now on, and is closed when it is refused.
   *
   * @throws RemoraException {@link Status#PROTOCOL_ERROR} when the descriptor is no eventfd: a write to anything else could block, or do something
   */
  Doorbell takeDoorbell(int descriptor);

  /** Closes a descriptor that came with a message. From any thread. */
  void close(int descriptor);

  /**
   * Listens for connections by name.
   *
   * @throws RemoraException {@link Status#EXISTS} when the name is in use
   */
  LocalListener listen(String name, LocalListener.Acceptor acceptor);

  /** Begins to connect to who listens by that name. The handler hears {@code onConnected} or {@code onClosed}, never before this returns. */
  LocalSocket connect(String name, LocalSocket.Handler handler);

  /**
   * Memory that other processes can map.
   *
   * @param whole all of it
   * @param descriptor to be sent to who shall map it; this process's as long as the arena lives
   */
  record SharedMemory(MemorySegment whole, int descriptor) {}
}
