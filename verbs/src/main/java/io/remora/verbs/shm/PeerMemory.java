package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Local;
import io.remora.verbs.Access;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.soft.Pieces;
import io.remora.verbs.soft.SendSlot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The other end's memory, as far as it has given it to this end: its keys, and the pieces of shared memory that they lead to, mapped. Carries out the requester's copies. Belongs to its
 * connection's loop.
 *
 * <p>Copies go: say that this end copies ({@link Control#copying}); for each, look at the key and copy; say that it is over ({@link #endCopies}). The owner of a key makes it invalid and then waits
 * for who says that he copies: so either this end sees that the key is invalid, or the owner sees that this end copies. To say it costs a fence, which is why several copies share it; nothing
 * that waits for the peer may come between.
 */
final class PeerMemory {
  /** How a copy has ended. */
  enum Result {
    DONE,
    /** The key, range or right does not hold. */
    FAULT,
    /** The piece of memory is not mapped yet: ask for it by the key. */
    UNMAPPED,
    /** The peer has ended the connection. */
    ENDED,
    /** The peer's table says what cannot be. */
    NONSENSE
  }

  /** Memory that is mapped. */
  private record Mapped(long number, MemorySegment memory, Arena arena) {}

  /** A copy is cut into such pieces, so that who waits for one to end does not wait long. */
  static final int MAX_COPY_BYTES = 64 << 10;
  private static final int MAX_PIECES = 4096;

  private final Local local;
  private final Control control;
  private final MemorySegment keys;
  private final int peerNumber;
  private final List<Mapped> mapped = new ArrayList<>();
  private long lastNumber = -1;
  private MemorySegment last = MemorySegment.NULL;
  /** What {@link #find} has found. */
  private MemorySegment found = MemorySegment.NULL;
  private long foundAt;
  private boolean copying;

  PeerMemory(Local local, Control control, MemorySegment keys, int peerNumber) {
    this.local = local;
    this.control = control;
    this.keys = keys;
    this.peerNumber = peerNumber;
  }

  /** Writes {@code length} bytes of the request's data from byte {@code from} on, at most {@link #MAX_COPY_BYTES}. */
  Result write(SendSlot slot, long from, int length) {
    Pieces pieces = slot.pieces();
    beginCopies();
    Result result = find(slot.remoteKey(), slot.remoteAddress(), pieces.totalBytes(), Access.REMOTE_WRITE);
    if (result == Result.DONE) {
      pieces.copyTo(from, found, foundAt + from, length);
    }
    return result;
  }

  /** Reads {@code length} bytes to the request's memory from byte {@code from} on, at most {@link #MAX_COPY_BYTES}. */
  Result read(SendSlot slot, long from, int length) {
    Pieces pieces = slot.pieces();
    beginCopies();
    Result result = find(slot.remoteKey(), slot.remoteAddress(), pieces.totalBytes(), Access.REMOTE_READ);
    if (result == Result.DONE) {
      pieces.copyFrom(from, found, foundAt + from, length);
    }
    return result;
  }

  /** Carries out an atomic operation; {@code scratch} holds what was there. */
  Result atomic(SendSlot slot, MemorySegment scratch) {
    beginCopies();
    Result result = find(slot.remoteKey(), slot.remoteAddress(), 8, Access.REMOTE_ATOMIC);
    if (result == Result.DONE && (foundAt & 7) != 0) {
      result = Result.NONSENSE;
    }
    if (result == Result.DONE) {
      long before = slot.opcode() == SendOpcode.FETCH_AND_ADD
          ? Words.getAndAdd(found, foundAt, slot.compareOrAdd())
          : Words.compareAndExchange(found, foundAt, slot.compareOrAdd(), slot.swap());
      scratch.set(JAVA_LONG, 0, before);
    }
    return result;
  }

  private void beginCopies() {
    if (!copying) {
      copying = true;
      control.copying();
    }
  }

  /** The copies of this batch are over: the peer may use what they went to or came from. */
  void endCopies() {
    if (copying) {
      copying = false;
      control.copied();
    }
  }

  private Result find(int key, long address, long length, int access) {
    if (!control.peerUp()) {
      return Result.ENDED;
    }
    long word = KeyLayout.word(key);
    for (int probe = 0; probe < KeyLayout.MAX_PROBES; probe++) {
      long at = KeyLayout.at(key, probe);
      if (Words.getVolatile(keys, at + KeyLayout.WORD) == word) {
        return check(at, address, length, access);
      }
    }
    return Result.FAULT;
  }

  private Result check(long at, long address, long length, int access) {
    long user = keys.get(JAVA_LONG, at + KeyLayout.USER);
    long rights = keys.get(JAVA_LONG, at + KeyLayout.RIGHTS);
    long from = address - keys.get(JAVA_LONG, at + KeyLayout.ADDRESS);
    long extent = keys.get(JAVA_LONG, at + KeyLayout.LENGTH);
    long number = keys.get(JAVA_LONG, at + KeyLayout.SEGMENT);
    long base = keys.get(JAVA_LONG, at + KeyLayout.OFFSET);
    if ((user != 0 && user != peerNumber) || from < 0 || from > extent || length > extent - from
        || (rights & access) != access) {
      return Result.FAULT;
    }
    if (number != lastNumber && !select(number)) {
      return Result.UNMAPPED;
    }
    long size = last.byteSize();
    if (base < 0 || base > size || from > size - base || length > size - base - from) {
      return Result.NONSENSE;
    }
    found = last;
    foundAt = base + from;
    return Result.DONE;
  }

  private boolean select(long number) {
    for (int i = 0; i < mapped.size(); i++) {
      Mapped one = mapped.get(i);
      if (one.number == number) {
        lastNumber = number;
        last = one.memory;
        return true;
      }
    }
    return false;
  }

  /**
   * Maps a piece that the peer has sent; its descriptor is closed.
   *
   * @throws io.remora.base.RemoraException when it is not what it should be
   */
  void map(long number, int descriptor, long bytes) {
    if (number < 0 || select(number) || mapped.size() >= MAX_PIECES) {
      local.close(descriptor);
      return;
    }
    Arena arena = Arena.ofConfined();
    try {
      mapped.add(new Mapped(number, local.map(arena, descriptor, bytes, true), arena));
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  /** The peer has nothing registered in that piece any more. */
  void unmap(long number) {
    forget();
    for (int i = mapped.size() - 1; i >= 0; i--) {
      if (mapped.get(i).number == number) {
        mapped.remove(i).arena.close();
      }
    }
  }

  void close() {
    forget();
    for (Mapped one : mapped) {
      one.arena.close();
    }
    mapped.clear();
  }

  private void forget() {
    lastNumber = -1;
    last = MemorySegment.NULL;
    found = MemorySegment.NULL;
  }
}
