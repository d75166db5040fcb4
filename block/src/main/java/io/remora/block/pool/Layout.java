package io.remora.block.pool;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Sizes and places of the format that are the same in every pool. All integers are little-endian. */
final class Layout {
  static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong BE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  static final ValueLayout.OfByte U8 = ValueLayout.JAVA_BYTE;

  static final int VERSION = 1;

  /** The unit of atomicity. */
  static final int SECTOR_BYTES = 512;
  /** The unit of metadata I/O. */
  static final int PAGE_BYTES = 4096;
  static final int SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;
  static final int SECTOR_HEADER_BYTES = 16;
  static final int ENTRY_BYTES = 16;
  static final int ENTRIES_PER_SECTOR = (SECTOR_BYTES - SECTOR_HEADER_BYTES) / ENTRY_BYTES;
  static final int ENTRIES_PER_PAGE = ENTRIES_PER_SECTOR * SECTORS_PER_PAGE;

  static final long LABEL_A = 0;
  static final long LABEL_B = 512L << 10;
  static final long FIRST_REGION = 1L << 20;

  static final int MIN_CLUSTER_BYTES = 64 << 10;
  static final int MAX_CLUSTER_BYTES = 64 << 20;
  static final int MAX_DISKS = 64;
  static final int MAX_REGIONS = 32;
  static final int MAX_NAME_BYTES = 128;
  /** Clusters of a pool, and of a volume: they are counted in 31 bits in memory. */
  static final long MAX_CLUSTERS = Integer.MAX_VALUE - 1;
  static final int MAX_SLOT_PAGES = 16384;
  static final int MIN_SLOT_PAGES = 8;

  private Layout() {}

  static long alignUp(long value, long unit) {
    return (value + unit - 1) & -unit;
  }
}
