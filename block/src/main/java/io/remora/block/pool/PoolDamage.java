package io.remora.block.pool;

import java.util.concurrent.CompletableFuture;

/** Gives up what was lost with damaged metadata. On the pool's loop. */
final class PoolDamage {
  private PoolDamage() {}

  static CompletableFuture<Void> accept(Pool pool) {
    pool.checkWritable();
    for (Region region : pool.regions()) {
      acceptTable(pool, region);
      acceptSlots(region);
      region.orphans.stream().forEach(cluster -> {
        region.free(cluster);
        pool.addDamaged(-1);
      });
      region.orphans.clear();
      region.disk.cleaner().kick();
    }
    pool.lostLimit(0);
    pool.keepsOrphans(false);
    return pool.settle();
  }

  private static void acceptTable(Pool pool, Region region) {
    region.damagedTable.stream().forEach(sector -> {
      Page page = region.table.page(sector / Layout.SECTORS_PER_PAGE);
      int inPage = sector % Layout.SECTORS_PER_PAGE;
      page.image().asSlice((long) inPage * Layout.SECTOR_BYTES, Layout.SECTOR_BYTES).fill((byte) 0);
      int first = page.index * Layout.ENTRIES_PER_PAGE + inPage * Layout.ENTRIES_PER_SECTOR;
      int end = Math.min(first + Layout.ENTRIES_PER_SECTOR, region.shape.clusters());
      for (int cluster = first; cluster < end; cluster++) {
        region.free(cluster);
        pool.addDamaged(-1);
      }
    });
    region.damagedTable.clear();
  }

  private static void acceptSlots(Region region) {
    region.damagedSlots.stream().forEach(slot -> {
      Page page = region.slotPage(slot);
      int sector = slot % Layout.SECTORS_PER_PAGE;
      VolumeRecord.encodeDeleted(page.image(), (long) sector * Layout.SECTOR_BYTES, 0);
      region.slots.changed(page, sector);
      region.usedSlots.clear(slot);
    });
    region.damagedSlots.clear();
  }
}
