package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.DISK;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.base.sim.SimFile;
import io.remora.block.Io;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Large pools, made by writing their metadata directly. */
class PoolScaleTest {
  /** The largest pool in the tests; 20 takes a while. */
  private static final long SIZE_TIB = Long.getLong("remora.scale", 2);

  private final PoolWorld world = new PoolWorld(41);

  private Pool create(long sizeBytes) {
    return world.await(() -> Pool.create(world.loop, PoolConfig.of("big", PoolWorld.uuid(1), DISK, sizeBytes)));
  }

  /** Writes pages of an area, both copies, behind the pool's back; the label must say already that they are in use. */
  private void put(MetaArea area, long pages, Filler filler) {
    SimFile file = world.machine.disk().file(DISK);
    Sectors sectors = area.sectors;
    MemorySegment page = Arena.ofAuto().allocate(1 << 20, 4096);
    for (long first = 0; first < pages; first += 256) {
      page.fill((byte) 0);
      long count = Math.min(256, pages - first);
      for (long i = 0; i < count * Layout.SECTORS_PER_PAGE; i++) {
        long index = first * Layout.SECTORS_PER_PAGE + i;
        long at = i * Layout.SECTOR_BYTES;
        if (filler.fill(page, at, index)) {
          sectors.stamp(page, at, index, index + 1);
        }
      }
      byte[] bytes = page.asSlice(0, count * Layout.PAGE_BYTES).toArray(Layout.U8);
      file.write(area.place.start(0) + first * Layout.PAGE_BYTES, bytes);
      file.write(area.place.start(1) + first * Layout.PAGE_BYTES, bytes);
    }
  }

  private interface Filler {
    boolean fill(MemorySegment page, long at, long sector);
  }

  /** A label that takes all pages into use. */
  private void useAll(Pool pool, Region region) {
    region.tableUsed = region.shape.tablePages();
    region.slotsUsed = region.shape.slotPages();
    byte[] label = pool.labelPage(pool.disk(0), 1000).toArray(Layout.U8);
    world.machine.disk().file(DISK).write(Layout.LABEL_A, label);
    world.machine.disk().file(DISK).write(Layout.LABEL_B, label);
  }

  @Test
  void sparseTableOfManyClusters() {
    Pool pool = create(SIZE_TIB << 40);
    Volume volume = world.thin(pool, "v", SIZE_TIB << 40);
    int number = volume.record().number();
    Region region = volume.region();
    world.await(pool::close);
    // One entry in twenty, all over the table.
    put(region.table, region.shape.tablePages(), (page, at, sector) -> {
      boolean any = false;
      for (int i = 0; i < Layout.ENTRIES_PER_SECTOR; i++) {
        long cluster = sector * Layout.ENTRIES_PER_SECTOR + i;
        if (cluster % 19 == 0 && cluster < region.shape.clusters()) {
          Entry.put(page, at + Layout.SECTOR_HEADER_BYTES + (long) i * Layout.ENTRY_BYTES, Entry.MAPPED, number,
              cluster,
              1);
          any = true;
        }
      }
      return any;
    });
    useAll(pool, region);
    long readsBefore = world.machine.disk().file(DISK).reads();
    Pool again = world.open();
    assertThat(again.problems()).isEmpty();
    // A read for each MiB of each copy, and the label: nothing is read twice, or in small pieces.
    long most = 2 + 2L * (region.shape.slotPages() / 256 + 1 + region.shape.tablePages() / 256 + 1);
    assertThat(world.machine.disk().file(DISK).reads() - readsBefore).isLessThanOrEqualTo(most);
    long clusters = (region.shape.clusters() + 18L) / 19;
    assertThat(again.usage().usedBytes()).isEqualTo(clusters << 20);
    Volume found = again.volume("v").orElseThrow();
    assertThat(found.map().mapped()).isEqualTo(clusters);
    Io io = world.io(found);
    assertThat(io.write(1L << 20, Io.filled(4096, 5))).isEqualTo(Status.OK);
    assertThat(io.read(1L << 20, 4096)).containsOnly(5);
  }

  /** What a pool has given out lies close together, however large the disks are: little of the table is in use, and read. */
  @Test
  void aMillionClustersOfTwentyTebibytes() {
    Pool pool = create(20L << 40);
    Volume volume = world.thin(pool, "v", 20L << 40);
    int number = volume.record().number();
    Region region = volume.region();
    world.await(pool::close);
    int clusters = 1_000_000;
    int pages = (clusters + Layout.ENTRIES_PER_PAGE - 1) / Layout.ENTRIES_PER_PAGE;
    put(region.table, pages, (page, at, sector) -> {
      for (int i = 0; i < Layout.ENTRIES_PER_SECTOR && sector * Layout.ENTRIES_PER_SECTOR + i < clusters; i++) {
        Entry.put(page, at + Layout.SECTOR_HEADER_BYTES + (long) i * Layout.ENTRY_BYTES, Entry.MAPPED, number,
            sector * Layout.ENTRIES_PER_SECTOR + i, 1);
      }
      return true;
    });
    region.tableUsed = pages;
    byte[] label = pool.labelPage(pool.disk(0), 1000).toArray(Layout.U8);
    world.machine.disk().file(DISK).write(Layout.LABEL_A, label);
    world.machine.disk().file(DISK).write(Layout.LABEL_B, label);
    long readsBefore = world.machine.disk().file(DISK).reads();
    Pool again = world.open();
    assertThat(world.machine.disk().file(DISK).reads() - readsBefore)
        .isLessThanOrEqualTo(2 + 2 + 2 * (pages / 256 + 1));
    assertThat(again.usage().usedBytes()).isEqualTo((long) clusters << 20);
    assertThat(again.problems()).isEmpty();
  }

  @Test
  void aHundredThousandVolumes() {
    Pool pool = create(1L << 40);
    Region region = pool.regions().iterator().next();
    world.await(pool::close);
    put(region.slots, 100_000 / 8, (page, at, sector) -> {
      int number = (int) sector + 1;
      new VolumeRecord(number, PoolWorld.uuid(number), "volume-" + number, 10L << 30, 4096, true, 0, Map.of())
          .encode(page, at);
      return true;
    });
    useAll(pool, region);
    Pool again = world.open();
    assertThat(again.volumes()).hasSize(100_000);
    assertThat(again.volume("volume-100000")).isPresent();
    Volume more = world.thin(again, "more", 1 << 20);
    assertThat(more.record().number()).isEqualTo(100_001);
    assertThat(world.io(again, "volume-77777").write(0, Io.filled(4096, 1))).isEqualTo(Status.OK);
    world.await(() -> again.delete(again.volume("volume-5").orElseThrow()));
    assertThat(again.volumes()).hasSize(100_000);
  }

  @Test
  void emptyLargePoolReadsNextToNothing() {
    Pool pool = create(20L << 40);
    world.await(pool::close);
    assertThat(world.machine.disk().allocatedBytes()).isLessThan(64 << 10);
    long begin = world.sim.nowNs();
    Pool again = world.open();
    assertThat(world.sim.nowNs() - begin).isLessThan(50_000_000);
    assertThat(again.usage().availableBytes()).isEqualTo(again.usage().capacityBytes());
    assertThat(again.usage().capacityBytes()).isGreaterThan(19L << 40);
  }

  @Test
  void shapesFitTheirPlaces() {
    java.util.SplittableRandom random = new java.util.SplittableRandom(5);
    for (int i = 0; i < 20_000; i++) {
      long cluster = (64L << 10) << random.nextInt(11);
      long offset = random.nextLong(1L << 30);
      long end = offset + 200_000_000 + random.nextLong(1L << random.nextInt(28, 46));
      RegionShape shape = RegionShape.plan(offset, end, cluster, 1, true);
      shape.check(cluster, offset, "seed 5, " + i);
      assertThat(shape.end()).isLessThanOrEqualTo(end);
      // Little is lost: less than one part in a hundred, and what alignment takes.
      assertThat(shape.clusters() * cluster).isGreaterThan((end - offset) / 100 * 99 - 3 * cluster - (4 << 20));
    }
  }
}
