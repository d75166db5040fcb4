package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;

/**
 * Where things are in a region; fixed for its life.
 *
 * <pre>
 * offset                      dataOffset                                     metaB            offset + length
 * | slots A | table A | (gap) | cluster 0 | cluster 1 | ... | (gap) | slots B | table B |
 * </pre>
 *
 * @param offset where it begins on the disk, a multiple of the page
 * @param length a multiple of the page
 * @param dataOffset where cluster 0 begins
 * @param tag a random number that goes into the checksums of its sectors: sectors of somebody else do not hold
 * @param clusters the number of clusters
 * @param slotPages pages of volume slots, in each copy
 * @param tablePages pages of the cluster table, in each copy
 * @param bornZero whether every byte was zero when it was made
 */
record RegionShape(long offset, long length, long dataOffset, long tag, int clusters, int slotPages, int tablePages,
    boolean bornZero) {

  /** The largest region from {@code offset} to {@code end}, or an exception when there is no room for one cluster. */
  static RegionShape plan(long offset, long end, long clusterBytes, long tag, boolean bornZero) {
    long from = Layout.alignUp(offset, Layout.PAGE_BYTES);
    long length = (end - from) & -(long) Layout.PAGE_BYTES;
    long most = Math.min(Math.max(0, length / clusterBytes), Layout.MAX_CLUSTERS);
    long slotPages = Math.clamp(length / 1024 / Layout.PAGE_BYTES, Layout.MIN_SLOT_PAGES, Layout.MAX_SLOT_PAGES);
    long tablePages = (most + Layout.ENTRIES_PER_PAGE - 1) / Layout.ENTRIES_PER_PAGE;
    long metaBytes = (slotPages + tablePages) * Layout.PAGE_BYTES;
    long data = Layout.alignUp(from + metaBytes, Math.min(clusterBytes, 1 << 20));
    long clusters = Math.min(most, (from + length - metaBytes - data) / clusterBytes);
    if (clusters < 1) {
      throw new RemoraException(Status.INVALID, "no room for a cluster of " + clusterBytes + " bytes between " + offset
          + " and " + end + ": give a larger disk or a smaller cluster size");
    }
    return new RegionShape(from, length, data, tag, (int) clusters, (int) slotPages, (int) tablePages, bornZero);
  }

  /** Holds what was read from a label against the disk; CORRUPT when it cannot be. */
  void check(long clusterBytes, long previousEnd, String where) {
    boolean holds = offset >= previousEnd && offset % Layout.PAGE_BYTES == 0 && length > 0
        && length % Layout.PAGE_BYTES == 0 && offset <= Long.MAX_VALUE - length
        && slotPages >= 1 && slotPages <= Layout.MAX_SLOT_PAGES && clusters >= 1 && clusters <= Layout.MAX_CLUSTERS
        && tablePages >= 1 && (long) tablePages * Layout.ENTRIES_PER_PAGE >= clusters
        && tablePages <= Layout.MAX_CLUSTERS / Layout.ENTRIES_PER_PAGE + 1
        && dataOffset >= offset + metaBytes() && dataOffset % Layout.PAGE_BYTES == 0
        && clusters <= length / clusterBytes && dataOffset + clusters * clusterBytes <= metaB();
    if (!holds) {
      throw new RemoraException(Status.CORRUPT, where + ": the label describes an impossible region: " + this);
    }
  }

  long end() {
    return offset + length;
  }

  long metaBytes() {
    return (long) (slotPages + tablePages) * Layout.PAGE_BYTES;
  }

  /** Where the second copy of the metadata begins. */
  long metaB() {
    return end() - metaBytes();
  }

  long clusterOffset(int cluster, long clusterBytes) {
    if (cluster < 0 || cluster >= clusters) {
      Check.that(false, "cluster %d of %d", cluster, clusters);
    }
    return dataOffset + cluster * clusterBytes;
  }
}
