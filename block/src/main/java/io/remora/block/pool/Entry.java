package io.remora.block.pool;

import static io.remora.block.pool.Layout.U16;
import static io.remora.block.pool.Layout.U32;
import static io.remora.block.pool.Layout.U8;

import java.lang.foreign.MemorySegment;

/** The fields of an entry of the cluster table: what one physical cluster holds. Stateless. */
final class Entry {
  /** Never used. All entries of a sector that was never written are so. */
  static final byte VIRGIN = 0;
  /** Free; its space was given back once. */
  static final byte FREE = 1;
  /** Free; its space was not given back yet. */
  static final byte FREED = 2;
  /** Holds a cluster of a volume. */
  static final byte MAPPED = 3;
  /** Takes no data: the disk fails there. */
  static final byte BAD = 4;
  private Entry() {}

  /** Where entry {@code index} (0 to 247) of a page is. */
  static long at(int index) {
    int sector = index / Layout.ENTRIES_PER_SECTOR;
    int inSector = index % Layout.ENTRIES_PER_SECTOR;
    return (long) sector * Layout.SECTOR_BYTES + Layout.SECTOR_HEADER_BYTES + (long) inSector * Layout.ENTRY_BYTES;
  }

  static void put(MemorySegment page, long at, byte state, int volume, long logical, int stamp) {
    page.set(U32, at, volume);
    page.set(U8, at + 4, state);
    page.set(U8, at + 5, (byte) 0);
    page.set(U16, at + 6, (short) (logical >>> 32));
    page.set(U32, at + 8, (int) logical);
    page.set(U32, at + 12, stamp);
  }

  static byte state(MemorySegment page, long at) {
    return page.get(U8, at + 4);
  }

  static int volume(MemorySegment page, long at) {
    return page.get(U32, at);
  }

  static long logical(MemorySegment page, long at) {
    return (page.get(U16, at + 6) & 0xFFFFL) << 32 | (page.get(U32, at + 8) & 0xFFFFFFFFL);
  }

  /** When it was mapped: the low 32 bits of the pool's sequence then. */
  static int stamp(MemorySegment page, long at) {
    return page.get(U32, at + 12);
  }
}
