package io.remora.block.pool;

import io.remora.base.DiskFile;
import java.util.Arrays;

/**
 * Where the pages of a region's slots, or of its table, are on the disk: each page in two copies, side by side but for the few that
 * have moved off bad blocks. Belongs to one loop.
 */
final class AreaPlace {
  static final int COPIES = 2;

  final DiskFile file;
  /** {@link Sectors#SLOT} or {@link Sectors#TABLE}. */
  final byte kind;
  private final long[] offsets;
  private int moved;
  private int[] movedKeys = {};
  private long[] movedTo = {};

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
    for (int i = 0; i < moved; i++) {
      if (movedKeys[i] == key(copy, page)) {
        return movedTo[i];
      }
    }
    return offsets[copy] + (long) page * Layout.PAGE_BYTES;
  }

  /** Copy {@code copy} of page {@code page} is at {@code offset} from now on. */
  void move(int copy, int page, long offset) {
    for (int i = 0; i < moved; i++) {
      if (movedKeys[i] == key(copy, page)) {
        movedTo[i] = offset;
        return;
      }
    }
    movedKeys = Arrays.copyOf(movedKeys, moved + 1);
    movedTo = Arrays.copyOf(movedTo, moved + 1);
    movedKeys[moved] = key(copy, page);
    movedTo[moved] = offset;
    moved++;
  }

  /** Whether one of the pages {@code from} to {@code to} (exclusive) has moved in copy {@code copy}. */
  boolean anyMoved(int copy, int from, int to) {
    for (int i = 0; i < moved; i++) {
      int page = movedKeys[i] >>> 1;
      if ((movedKeys[i] & 1) == copy && page >= from && page < to) {
        return true;
      }
    }
    return false;
  }

  private static int key(int copy, int page) {
    return page << 1 | copy;
  }

  /** For messages. */
  String what() {
    return kind == Sectors.SLOT ? "volume slots" : "cluster table";
  }
}
