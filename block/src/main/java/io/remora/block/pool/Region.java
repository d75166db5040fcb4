package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.Crc32c;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A region in memory: its metadata areas and its free clusters. Belongs to the pool's loop.
 *
 * <p>A free cluster is in exactly one of three sets, or lies beyond the pages of the table that are in use:
 * <ul>
 * <li>{@code clean}: it is zeros on the medium and may be handed out;
 * <li>{@code freed}: its space shall be given back, soon;
 * <li>{@code stale}: nobody knows what it holds; it is cleaned when clean ones run short.
 * </ul>
 * After an import nothing is clean: data may have reached a cluster before the crash and its entry not. That is why the pages in
 * use are recorded in the label, durably, before a cluster of theirs is handed out, and why the table has no state that says zero.
 */
final class Region {
  /** The pages in use grow by this much at most. */
  private static final int MAX_STRIDE_PAGES = 256;

  final PoolDisk disk;
  final RegionShape shape;
  /** The number of the region's first cluster in the pool. */
  final int base;
  final MetaArea slots;
  final MetaArea table;
  final BitSet usedSlots = new BitSet();
  final BitSet clean = new BitSet();
  final BitSet freed = new BitSet();
  final BitSet stale = new BitSet();
  /** Clusters that were freed in this life of the pool, not durably yet. */
  final BitSet unsettled = new BitSet();
  /** Clusters of volumes whose slots are lost. */
  final BitSet orphans = new BitSet();
  /** Sectors of which neither copy holds. */
  final BitSet damagedTable = new BitSet();
  final BitSet damagedSlots = new BitSet();
  private int cleanCount;
  private int cleanHint;
  /** Pages in use, as the label on the disk says or is about to say. */
  int tableUsed;
  int slotsUsed;

  Region(PoolDisk disk, RegionShape shape, int base, Crc32c crc) {
    this.disk = disk;
    this.shape = shape;
    this.base = base;
    this.slots = new MetaArea(disk, Sectors.SLOT, shape, shape.slotPages(), crc);
    this.table = new MetaArea(disk, Sectors.TABLE, shape, shape.tablePages(), crc);
  }

  long offset(int cluster, long clusterBytes) {
    return shape.clusterOffset(cluster, clusterBytes);
  }

  /** Clusters that the first {@code pages} pages of the table describe. */
  int clustersIn(int pages) {
    return (int) Math.min(shape.clusters(), (long) pages * Layout.ENTRIES_PER_PAGE);
  }

  /** How many more pages of the table to take into use next; 0 when all are. */
  int nextTablePages() {
    return Math.min(shape.tablePages() - tableUsed, Math.clamp(tableUsed, 1, MAX_STRIDE_PAGES));
  }

  int nextSlotPages() {
    return Math.min(shape.slotPages() - slotsUsed, Math.clamp(slotsUsed, Layout.MIN_SLOT_PAGES, MAX_STRIDE_PAGES));
  }

  Page pageOf(int cluster) {
    return table.page(cluster / Layout.ENTRIES_PER_PAGE);
  }

  /** A free cluster was found or has become clean. */
  void addClean(int cluster) {
    Check.that(!clean.get(cluster), "cluster %d is clean twice", cluster);
    clean.set(cluster);
    cleanCount++;
    cleanHint = Math.min(cleanHint, cluster);
  }

  int cleanCount() {
    return cleanCount;
  }

  /** Takes the first clean cluster; there must be one. */
  int takeClean() {
    int cluster = clean.nextSetBit(cleanHint);
    Check.that(cluster >= 0, "no clean cluster");
    clean.clear(cluster);
    cleanHint = cluster + 1;
    cleanCount--;
    return cluster;
  }

  /** Whether there are free clusters that are not clean yet; {@code more}: those that the table does not describe yet count. */
  boolean canClean(boolean more) {
    return !freed.isEmpty() || !stale.isEmpty() || (more && tableUsed < shape.tablePages());
  }

  void map(int cluster, int volume, long logical, int stamp) {
    Page page = pageOf(cluster);
    int entry = cluster % Layout.ENTRIES_PER_PAGE;
    Entry.put(page.image(), Entry.at(entry), Entry.MAPPED, volume, logical, stamp);
    page.setFresh(entry);
    table.changed(page, entry / Layout.ENTRIES_PER_SECTOR);
  }

  /** Whether the entry of {@code cluster}, which is mapped, has been written, twice, if not flushed. */
  boolean settled(int cluster) {
    Page page = pageOf(cluster);
    int entry = cluster % Layout.ENTRIES_PER_PAGE;
    return !page.isFresh(entry) && !page.isFreshWriting(entry);
  }

  /** A mapped cluster is free, and dirty, from now on. */
  void free(int cluster) {
    mark(cluster, Entry.FREED, 0);
    freed.set(cluster);
  }

  void mark(int cluster, byte state, int volume) {
    Page page = pageOf(cluster);
    int entry = cluster % Layout.ENTRIES_PER_PAGE;
    Entry.put(page.image(), Entry.at(entry), state, volume, 0, 0);
    page.clearFresh(entry);
    table.changed(page, entry / Layout.ENTRIES_PER_SECTOR);
  }

  /** The cleaner is done with {@code cluster}: its space was given back. The table may say so when it is written anyway. */
  void cleaned(int cluster) {
    Page page = table.find(cluster / Layout.ENTRIES_PER_PAGE);
    int entry = cluster % Layout.ENTRIES_PER_PAGE;
    if (page != null && Entry.state(page.image(), Entry.at(entry)) == Entry.FREED) {
      Entry.put(page.image(), Entry.at(entry), Entry.FREE, 0, 0, 0);
      table.changedLazily(page, entry / Layout.ENTRIES_PER_SECTOR);
    }
    addClean(cluster);
  }

  /** The lowest slot that is in use by nobody, or -1 when the pages in use have none. */
  int freeSlot() {
    int slot = usedSlots.nextClearBit(0);
    return slot < slotsUsed * Layout.SECTORS_PER_PAGE ? slot : -1;
  }

  Page slotPage(int slot) {
    return slots.page(slot / Layout.SECTORS_PER_PAGE);
  }

  @Nullable
  Page findTablePage(int index) {
    return table.find(index);
  }
}
