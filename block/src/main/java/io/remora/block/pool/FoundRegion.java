package io.remora.block.pool;

import io.remora.base.DiskFile;
import java.util.List;

/** A region as an inspection finds it; {@code base} is the number that the inspection gives its first cluster; {@code moves} are those of its own pages. */
record FoundRegion(DiskFile file, RegionShape shape, int tableUsed, int slotsUsed, int base, List<Label.Move> moves) {
  /** Where its slots, or its table, are. */
  AreaPlace place(byte kind) {
    AreaPlace place = new AreaPlace(file, kind, shape);
    for (Label.Move move : moves) {
      if (move.kind() == kind) {
        place.move(move.copy(), move.page(), PageMoves.offset(move.spare()));
      }
    }
    return place;
  }

  /** Clusters that the first {@code pages} pages of the table describe. */
  int clustersIn(int pages) {
    return (int) Math.min(shape.clusters(), (long) pages * Layout.ENTRIES_PER_PAGE);
  }
}
