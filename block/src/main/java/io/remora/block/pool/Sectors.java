package io.remora.block.pool;

import static io.remora.block.pool.Layout.SECTOR_BYTES;
import static io.remora.block.pool.Layout.U16;
import static io.remora.block.pool.Layout.U32;
import static io.remora.block.pool.Layout.U64;
import static io.remora.block.pool.Layout.U8;

import io.remora.base.Crc32c;
import io.remora.block.Zeros;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Stamps and checks the self-checking sectors of one area. The checksum covers, before the sector itself, the region's tag and the
 * sector's number, so a sector that strayed, or that is left over from another pool, does not hold. Belongs to the pool's loop.
 */
final class Sectors {
  /** What kind of sector, its third byte. */
  static final byte TABLE = 'T';
  static final byte SLOT = 'V';

  /** The sequence of a sector that was never written: all zeros. */
  static final long VIRGIN = 0;
  /** In the place of a sequence: the sector does not hold. */
  static final long BROKEN = -1;

  private static final short MAGIC = 0x4D52; // "RM"

  private final byte kind;
  private final long tag;
  private final Crc32c crc;
  private final MemorySegment prefix = Arena.ofAuto().allocate(16, 8);

  Sectors(byte kind, long tag, Crc32c crc) {
    this.kind = kind;
    this.tag = tag;
    this.crc = crc;
  }

  /** Writes the header of the sector at {@code at}, number {@code index} of its area, whose payload is in place. */
  void stamp(MemorySegment page, long at, long index, long sequence) {
    page.set(U16, at, MAGIC);
    page.set(U8, at + 2, kind);
    page.set(U8, at + 3, (byte) Layout.VERSION);
    page.set(U64, at + 8, sequence);
    page.set(U32, at + 4, checksum(page, at, index));
  }

  /** The sequence of the sector at {@code at}: {@link #VIRGIN}, {@link #BROKEN}, or positive. */
  long sequence(MemorySegment page, long at, long index) {
    if (page.get(U64, at) == 0) {
      return Zeros.equal(page, at, SECTOR_BYTES) ? VIRGIN : BROKEN;
    }
    boolean holds = page.get(U16, at) == MAGIC && page.get(U8, at + 2) == kind && page.get(U8, at + 3) == Layout.VERSION
        && page.get(U32, at + 4) == checksum(page, at, index);
    long sequence = page.get(U64, at + 8);
    return holds && sequence > 0 ? sequence : BROKEN;
  }

  private int checksum(MemorySegment page, long at, long index) {
    prefix.set(U64, 0, tag);
    prefix.set(U64, 8, index);
    crc.reset();
    crc.update(prefix, 0, 16);
    crc.update(page, at, 4);
    crc.update(page, at + 8, SECTOR_BYTES - 8);
    return crc.value();
  }
}
