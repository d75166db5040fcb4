package io.remora.block.pool;

import static io.remora.block.pool.Layout.BE64;
import static io.remora.block.pool.Layout.U16;
import static io.remora.block.pool.Layout.U32;
import static io.remora.block.pool.Layout.U64;
import static io.remora.block.pool.Layout.U8;

import io.remora.base.Crc32c;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a disk says about itself: which pool, which disk of it, which regions. Two copies, of which the valid one with the higher
 * sequence counts.
 *
 * @param sequence goes up with every write
 * @param disks the identities of all disks by index; on disk 0 only, empty elsewhere
 * @param moves the pages of metadata that are not in their own place
 */
record Label(long sequence, UUID poolUuid, String poolName, UUID diskUuid, UUID primaryUuid, int diskIndex,
    long clusterBytes, long createdMs, List<UUID> disks, List<RegionEntry> regions, List<Move> moves) {
  /**
   * A region and how much of its metadata has ever been in use: pages beyond were never written and are not read.
   */
  record RegionEntry(RegionShape shape, int tableUsed, int slotsUsed) {}

  /**
   * A copy of a page of metadata that lies in a spare page, because the disk cannot write its own.
   *
   * @param region which region, by its number on the disk
   * @param kind {@link Sectors#SLOT} or {@link Sectors#TABLE}
   * @param copy 0 or 1
   * @param page which page of the area
   * @param spare where it is: {@link PageMoves#offset}
   */
  record Move(int region, byte kind, int copy, int page, int spare) {}

  /** What was found where a label should be. */
  sealed interface Found {
    /** A valid label. */
    record Valid(Label label) implements Found {}

    /** Nothing that looks like a label. */
    record None() implements Found {}

    /** A label whose checksum does not hold, or that makes no sense. */
    record Broken(String why) implements Found {}

    /** A label of a later version of the format. */
    record Newer(int version) implements Found {}
  }

  private static final long MAGIC = 0x4C4F4F5041524D52L; // "RMRAPOOL"
  private static final int DISKS_AT = 512;
  private static final int REGIONS_AT = 1536;
  private static final int REGION_BYTES = 64;
  private static final int BORN_ZERO = 1;
  static final int MAX_MOVES = 64;
  private static final int MOVES_AT = 3584;
  private static final int MOVE_BYTES = 8;
  private static final int MOVED = 1;
  private static final int MOVED_SECOND = 2;
  private static final int MOVED_TABLE = 4;

  /** Writes it to {@code page}, 4096 bytes. */
  void encode(MemorySegment page, Crc32c crc) {
    page.fill((byte) 0);
    page.set(U64, 0, MAGIC);
    page.set(U32, 8, Layout.VERSION);
    page.set(U64, 16, sequence);
    putUuid(page, 24, poolUuid);
    putUuid(page, 40, diskUuid);
    putUuid(page, 56, primaryUuid);
    page.set(U32, 72, diskIndex);
    page.set(U32, 76, disks.size());
    page.set(U64, 80, clusterBytes);
    page.set(U64, 88, createdMs);
    page.set(U32, 96, regions.size());
    byte[] name = poolName.getBytes(StandardCharsets.UTF_8);
    page.set(U16, 128, (short) name.length);
    MemorySegment.copy(name, 0, page, Layout.U8, 130, name.length);
    for (int i = 0; i < disks.size(); i++) {
      putUuid(page, DISKS_AT + 16L * i, disks.get(i));
    }
    for (int i = 0; i < regions.size(); i++) {
      putRegion(page, REGIONS_AT + (long) REGION_BYTES * i, regions.get(i));
    }
    for (int i = 0; i < moves.size(); i++) {
      putMove(page, MOVES_AT + (long) MOVE_BYTES * i, moves.get(i));
    }
    page.set(U32, 12, crc.of(page, 0, Layout.PAGE_BYTES));
  }

  /** Reads one copy. */
  static Found decode(MemorySegment page, Crc32c crc) {
    if (page.get(U64, 0) != MAGIC) {
      return new Found.None();
    }
    int stored = page.get(U32, 12);
    page.set(U32, 12, 0);
    boolean holds = crc.of(page, 0, Layout.PAGE_BYTES) == stored;
    page.set(U32, 12, stored);
    if (!holds) {
      return new Found.Broken("its checksum does not hold");
    }
    int version = page.get(U32, 8);
    if (version != Layout.VERSION) {
      return new Found.Newer(version);
    }
    int disks = page.get(U32, 76);
    int regions = page.get(U32, 96);
    int index = page.get(U32, 72);
    long clusterBytes = page.get(U64, 80);
    if (disks < 0 || disks > Layout.MAX_DISKS || regions < 1 || regions > Layout.MAX_REGIONS || index < 0
        || index >= Layout.MAX_DISKS || (index == 0) != (disks > 0) || !validClusterBytes(clusterBytes)) {
      return new Found.Broken("its numbers make no sense");
    }
    String name = text(page, 128, Layout.MAX_NAME_BYTES);
    if (name == null) {
      return new Found.Broken("its name is not valid text");
    }
    List<UUID> diskUuids = new ArrayList<>();
    for (int i = 0; i < disks; i++) {
      diskUuids.add(uuid(page, DISKS_AT + 16L * i));
    }
    List<RegionEntry> entries = new ArrayList<>();
    for (int i = 0; i < regions; i++) {
      entries.add(region(page, REGIONS_AT + (long) REGION_BYTES * i));
    }
    List<Move> moves = moves(page);
    if (!moves.stream().allMatch(move -> PageMoves.valid(move, entries))) {
      return new Found.Broken("it has moved pages that there are not");
    }
    return new Found.Valid(new Label(page.get(U64, 16), uuid(page, 24), name, uuid(page, 40), uuid(page, 56), index,
        clusterBytes, page.get(U64, 88), List.copyOf(diskUuids), List.copyOf(entries), moves));
  }

  static boolean validClusterBytes(long bytes) {
    return bytes >= Layout.MIN_CLUSTER_BYTES && bytes <= Layout.MAX_CLUSTER_BYTES && Long.bitCount(bytes) == 1;
  }

  static void putUuid(MemorySegment page, long at, UUID uuid) {
    page.set(BE64, at, uuid.getMostSignificantBits());
    page.set(BE64, at + 8, uuid.getLeastSignificantBits());
  }

  static UUID uuid(MemorySegment page, long at) {
    return new UUID(page.get(BE64, at), page.get(BE64, at + 8));
  }

  /** A text of up to {@code most} bytes behind its length in 16 bits; null when it is none. */
  static @Nullable String text(MemorySegment page, long at, int most) {
    int length = Short.toUnsignedInt(page.get(U16, at));
    if (length > most) {
      return null;
    }
    byte[] bytes = page.asSlice(at + 2, length).toArray(Layout.U8);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  private static void putMove(MemorySegment page, long at, Move move) {
    page.set(U8, at, (byte) (MOVED | (move.copy == 0 ? 0 : MOVED_SECOND)
        | (move.kind == Sectors.TABLE ? MOVED_TABLE : 0)));
    page.set(U8, at + 1, (byte) move.region);
    page.set(U16, at + 2, (short) move.spare);
    page.set(U32, at + 4, move.page);
  }

  private static List<Move> moves(MemorySegment page) {
    List<Move> moves = new ArrayList<>();
    for (int i = 0; i < MAX_MOVES; i++) {
      long at = MOVES_AT + (long) MOVE_BYTES * i;
      byte flags = page.get(U8, at);
      if ((flags & MOVED) != 0) {
        moves.add(new Move(Byte.toUnsignedInt(page.get(U8, at + 1)), (flags & MOVED_TABLE) != 0
            ? Sectors.TABLE
            : Sectors.SLOT, (flags & MOVED_SECOND) != 0 ? 1 : 0, page.get(U32, at + 4),
            Short.toUnsignedInt(page.get(U16, at + 2))));
      }
    }
    return List.copyOf(moves);
  }

  private static void putRegion(MemorySegment page, long at, RegionEntry entry) {
    RegionShape shape = entry.shape;
    page.set(U64, at, shape.offset());
    page.set(U64, at + 8, shape.length());
    page.set(U64, at + 16, shape.dataOffset());
    page.set(U64, at + 24, shape.tag());
    page.set(U32, at + 32, shape.clusters());
    page.set(U32, at + 36, shape.slotPages());
    page.set(U32, at + 40, shape.tablePages());
    page.set(U32, at + 44, shape.bornZero() ? BORN_ZERO : 0);
    page.set(U32, at + 48, entry.tableUsed);
    page.set(U32, at + 52, entry.slotsUsed);
  }

  private static RegionEntry region(MemorySegment page, long at) {
    RegionShape shape = new RegionShape(page.get(U64, at), page.get(U64, at + 8), page.get(U64, at + 16),
        page.get(U64, at + 24), page.get(U32, at + 32), page.get(U32, at + 36), page.get(U32, at + 40),
        (page.get(U32, at + 44) & BORN_ZERO) != 0);
    return new RegionEntry(shape, page.get(U32, at + 48), page.get(U32, at + 52));
  }
}
