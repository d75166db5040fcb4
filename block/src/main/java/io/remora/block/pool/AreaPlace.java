package io.remora.block.pool;

import io.remora.base.DiskFile;

/** Where the pages of a region's slots, or of its table, are on the disk: each page in two copies. Belongs to one loop. */
final class AreaPlace {
  static final int COPIES = 2;

  final DiskFile file;
  /** {@link Sectors#SLOT} or {@link Sectors#TABLE}. */
  final byte kind;
  private final long[] offsets;

  AreaPlace(DiskFile file, byte kind, RegionShape shape) {
    long inMeta = kind == Sectors.SLOT ? 0 : (long) shape.slotPages() * Layout.PAGE_BYTES;
    this.file = file;
    this.kind = kind;
    this.offsets = new long[] {shape.offset() + inMeta, shape.metaB() + inMeta};
  }

  /** Where copy {@code copy} (0 or 1) of the area begins. */
  long start(int copy) {
    return offsets[copy];
  }

  /** Where copy {@code copy} of page {@code page} is. */
  long at(int copy, int page) {
    return offsets[copy] + (long) page * Layout.PAGE_BYTES;
  }

  /** For messages. */
  String what() {
    return kind == Sectors.SLOT ? "volume slots" : "cluster table";
  }
}
