package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/** The key table of a protection domain, which its owner writes: {@link KeyLayout}. Belongs to its context's loop. */
final class SharedKeys implements AutoCloseable {
  private static final int NO_PLACE = -1;

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment table;
  private final int descriptor;
  private final BitSet taken = new BitSet(KeyLayout.PLACES);

  SharedKeys(Local local) {
    this.table = local.allocate(arena, KeyLayout.BYTES, false);
    Local.SharedMemory memory = local.find(table);
    if (memory == null) {
      throw new RemoraException(Status.INTERNAL, "shared memory that was just made is not known");
    }
    this.descriptor = memory.descriptor();
  }

  /** For who may see it. */
  int descriptor() {
    return descriptor;
  }

  /** Sets a place aside for the keys of the index of {@code key}. */
  long reserve(int key) {
    for (int probe = 0; probe < KeyLayout.MAX_PROBES; probe++) {
      long at = KeyLayout.at(key, probe);
      int place = (int) (at / KeyLayout.PLACE_BYTES);
      if (!taken.get(place)) {
        taken.set(place);
        return at;
      }
    }
    throw new RemoraException(Status.NO_RESOURCES,
        "too many memory regions and windows in one protection domain: close some");
  }

  void release(long at) {
    taken.clear((int) (at / KeyLayout.PLACE_BYTES));
  }

  /** Makes {@code key} valid for who is told of it. */
  void publish(long at, int key, long address, long length, int rights, int user, long segment, long offset) {
    Words.setRelease(table, at + KeyLayout.ADDRESS, address);
    Words.setRelease(table, at + KeyLayout.LENGTH, length);
    Words.setRelease(table, at + KeyLayout.RIGHTS, rights);
    Words.setRelease(table, at + KeyLayout.USER, user);
    Words.setRelease(table, at + KeyLayout.SEGMENT, segment);
    Words.setRelease(table, at + KeyLayout.OFFSET, offset);
    Words.setRelease(table, at + KeyLayout.WORD, KeyLayout.word(key));
  }

  /** Makes what stands there invalid; the peer still copies by it until {@link Link#awaitCopies}, unless it is the peer that asks for this. */
  void withdraw(long at) {
    Words.setRelease(table, at + KeyLayout.WORD, 0);
  }

  /** The piece of shared memory that {@code key} leads the peer of queue pair {@code user} to; -1 when it leads nowhere. */
  long segmentOf(int key, int user) {
    long word = KeyLayout.word(key);
    for (int probe = 0; probe < KeyLayout.MAX_PROBES; probe++) {
      long at = KeyLayout.at(key, probe);
      if (Words.getAcquire(table, at + KeyLayout.WORD) == word) {
        long owner = Words.getAcquire(table, at + KeyLayout.USER);
        return owner == 0 || owner == user ? Words.getAcquire(table, at + KeyLayout.SEGMENT) : NO_PLACE;
      }
    }
    return NO_PLACE;
  }

  @Override
  public void close() {
    arena.close();
  }
}
