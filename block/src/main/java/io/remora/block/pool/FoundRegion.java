package io.remora.block.pool;

import io.remora.base.DiskFile;

/** A region as an inspection finds it; {@code base} is the number that the inspection gives its first cluster. */
record FoundRegion(DiskFile file, RegionShape shape, int tableUsed, int slotsUsed, int base) {
  /** Clusters that the first {@code pages} pages of the table describe. */
  int clustersIn(int pages) {
    return (int) Math.min(shape.clusters(), (long) pages * Layout.ENTRIES_PER_PAGE);
  }
}
