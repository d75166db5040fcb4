package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static io.remora.block.pool.PoolWorld.DISK;
import static io.remora.block.pool.PoolWorld.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.base.sim.SimFile;
import io.remora.block.Io;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bit rot and unreadable blocks in the metadata: served from the other copy and mended, or reported; never guessed. */
class PoolDamageTest {
  private final PoolWorld world = new PoolWorld(23);
  private long tableA;
  private long tableB;
  private long slotsA;
  private long slotsB;
  private Usage usage = new Usage(0, 0, 0, 0, 0);

  @BeforeEach
  void makePool() {
    Pool pool = world.create(16 * MIB);
    Io a = world.io(world.thin(pool, "a", 4L * MIB));
    Io b = world.io(world.thin(pool, "b", 4L * MIB));
    for (int i = 0; i < 20; i++) {
      assertThat(a.write((long) i * CLUSTER, Io.filled(CLUSTER, 1))).isEqualTo(Status.OK);
      assertThat(b.write((long) i * CLUSTER, Io.filled(CLUSTER, 2))).isEqualTo(Status.OK);
    }
    Region region = pool.regions().iterator().next();
    tableA = region.table.place.start(0);
    tableB = region.table.place.start(1);
    slotsA = region.slots.place.start(0);
    slotsB = region.slots.place.start(1);
    usage = pool.usage();
    world.await(pool::close);
  }

  private SimFile disk() {
    return world.machine.disk().file(DISK);
  }

  private void assertWhole(Pool pool) {
    assertThat(pool.usage()).isEqualTo(usage);
    Io a = world.io(pool, "a");
    Io b = world.io(pool, "b");
    for (long at = 4096; at < 20L * CLUSTER; at += CLUSTER) {
      assertThat(a.read(at, 4096)).containsOnly(1);
      assertThat(b.read(at, 4096)).containsOnly(2);
    }
    assertThat(pool.damaged()).isFalse();
  }

  private void assertReportedAndMended(String what) {
    Pool pool = world.open();
    assertThat(pool.problems()).hasSize(1).first().asString().contains(what);
    assertWhole(pool);
    world.await(pool::close);
    Pool again = world.open();
    assertThat(again.problems()).isEmpty();
    assertWhole(again);
  }

  @Test
  void everyBitOfOneCopyMayRot() {
    for (long place : List.of(tableA, tableB, slotsA, slotsB)) {
      for (long offset : List.of(0L, 2L, 3L, 5L, 9L, 16L, 100L, 511L)) {
        disk().flipBit(place + offset, 3);
        assertReportedAndMended(place == tableA || place == slotsA ? "its first copy" : "its second copy");
      }
    }
  }

  @Test
  void oneCopyOfTheLabelMayRot() {
    for (long place : List.of(Layout.LABEL_A, Layout.LABEL_B)) {
      for (long offset : List.of(9L, 13L, 17L, 30L, 600L, 1600L, 4095L)) {
        disk().flipBit(place + offset, 0);
        assertReportedAndMended("one copy of the label");
      }
    }
  }

  @Test
  void labelThatHoldsInNeitherCopyIsReported() {
    disk().flipBit(Layout.LABEL_A + 100, 0);
    disk().flipBit(Layout.LABEL_B + 100, 0);
    assertThat(world.failure(() -> Pool.open(world.loop, List.of(DISK))))
        .hasMessageContaining("label cannot be read")
        .satisfies(e -> assertThat(e.status()).isEqualTo(Status.CORRUPT));
    assertThat(world.refusal(() -> Pool.create(world.loop,
        new PoolConfig("x", PoolWorld.uuid(9), List.of(new PoolConfig.DiskSpec(DISK, 0)), CLUSTER, false))))
        .isEqualTo(Status.EXISTS);
  }

  @Test
  void unreadablePageIsServedFromTheOther() {
    disk().failReads(tableA, 512);
    disk().failReads(slotsB, 512);
    Pool pool = world.open();
    assertThat(pool.problems()).isNotEmpty().allMatch(problem -> problem.contains("the other one served"));
    assertWhole(pool);
    world.await(pool::close);
    disk().heal();
    assertWhole(world.open());
  }

  @Test
  void strayedSectorDoesNotHold() {
    byte[] second = disk().read(tableA + 512, 512);
    disk().write(tableA, second);
    disk().write(tableB + 512, disk().read(tableB, 512));
    Pool pool = world.open();
    assertThat(pool.problems()).hasSize(2);
    assertWhole(pool);
  }

  @Test
  void lostTableSectorIsReportedAndNothingIsGuessed() {
    disk().flipBit(tableA + 20, 0);
    disk().flipBit(tableB + 20, 0);
    Pool pool = world.open();
    assertThat(pool.damaged()).isTrue();
    assertThat(pool.problems()).anyMatch(problem -> problem.contains("broken in both copies"));
    assertThat(pool.usage().damagedBytes()).isEqualTo(31L * CLUSTER);
    Usage now = pool.usage();
    assertThat(now.usedBytes() + now.reservedBytes() + now.availableBytes()).isEqualTo(now.capacityBytes());
    Io a = world.io(pool, "a");
    int lost = 0;
    for (int i = 0; i < 20; i++) {
      Status status = a.readStatus((long) i * CLUSTER, CLUSTER);
      lost += status == Status.CORRUPT ? 1 : 0;
      if (status.isOk()) {
        assertThat(a.read((long) i * CLUSTER, CLUSTER)).containsOnly(1);
      } else {
        assertThat(a.write((long) i * CLUSTER, Io.filled(4096, 9))).isEqualTo(Status.CORRUPT);
      }
    }
    assertThat(lost).isBetween(10, 20);
    // A new volume has nothing to lose, and the damage is there at the next import too.
    Io fresh = world.io(world.thin(pool, "fresh", MIB));
    assertThat(fresh.read(0, MIB)).containsOnly(0);
    assertThat(fresh.write(0, Io.filled(CLUSTER, 3))).isEqualTo(Status.OK);
    assertThat(fresh.flush()).isEqualTo(Status.OK);
    world.powerLoss();
    Pool again = world.open();
    assertThat(again.damaged()).isTrue();
    assertThat(again.usage().damagedBytes()).isEqualTo(31L * CLUSTER);
    world.await(again::acceptDamage);
    assertThat(again.damaged()).isFalse();
    assertThat(again.usage().damagedBytes()).isZero();
    assertThat(again.usage().capacityBytes()).isEqualTo(usage.capacityBytes());
    assertThat(world.io(again, "fresh").read(0, CLUSTER)).containsOnly(3);
    world.powerLoss();
    Pool accepted = world.open();
    assertThat(accepted.problems()).isEmpty();
    assertThat(accepted.usage().damagedBytes()).isZero();
  }

  @Test
  void lostVolumeKeepsItsClustersUntilThatIsAccepted() {
    disk().flipBit(slotsA + 40, 0);
    disk().flipBit(slotsB + 40, 0);
    Pool pool = world.open();
    assertThat(pool.damaged()).isTrue();
    assertThat(pool.volume("a")).isEmpty();
    assertThat(pool.usage().damagedBytes()).isEqualTo(20L * CLUSTER);
    assertThat(world.io(pool, "b").read(0, 4 * MIB)).startsWith(Io.filled(20 * CLUSTER, 2));
    // Its slot and its number are nobody else's.
    Volume next = world.thin(pool, "next", MIB);
    assertThat(next.slot()).isNotZero();
    assertThat(next.record().number()).isEqualTo(3);
    world.powerLoss();
    Pool again = world.open();
    assertThat(again.usage().damagedBytes()).isEqualTo(20L * CLUSTER);
    assertThat(again.volumes()).hasSize(2);
    world.await(again::acceptDamage);
    assertThat(again.usage().damagedBytes()).isZero();
    world.powerLoss();
    assertThat(world.open().problems()).isEmpty();
  }

  @Test
  void laterFormatIsRefusedWithBothVersions() {
    Pool pool = world.open();
    PoolDisk poolDisk = pool.disk(0);
    var page = pool.labelPage(poolDisk, 100);
    page.set(Layout.U32, 8, 2);
    page.set(Layout.U32, 12, 0);
    page.set(Layout.U32, 12, new io.remora.base.Crc32c().of(page, 0, Layout.PAGE_BYTES));
    world.await(pool::close);
    disk().write(Layout.LABEL_A, page.toArray(Layout.U8));
    disk().write(Layout.LABEL_B, page.toArray(Layout.U8));
    assertThat(world.failure(() -> Pool.open(world.loop, List.of(DISK)))).hasMessageContaining("version 2")
        .satisfies(e -> assertThat(e.status()).isEqualTo(Status.UNSUPPORTED));
  }

  @Test
  void labelWithImpossibleNumbersIsRefused() {
    for (long[] forged : new long[][] {{1536, -4096}, {1536 + 8, Long.MAX_VALUE - 4095}, {1536 + 16, 1 << 20},
      {1536 + 16, -1}, {1536 + 32, -1}, {1536 + 32, Integer.MAX_VALUE}, {1536 + 36, 0}, {1536 + 40, 1 << 30},
      {1536 + 48, -1}, {1536 + 48, 9999}, {1536 + 52, 9999}, {96, 0}, {96, 33}, {76, 65}, {76, 0}, {72, 1},
      {80, 12345}, {80, 0}, {128, 500}}) {
      byte[] before = disk().read(0, 4096);
      var page = java.lang.foreign.MemorySegment.ofArray(before.clone());
      boolean wide = forged[0] == 1536 || forged[0] == 1536 + 8 || forged[0] == 1536 + 16 || forged[0] == 80;
      if (wide) {
        page.set(Layout.U64, forged[0], forged[1]);
      } else {
        page.set(Layout.U32, forged[0], (int) forged[1]);
      }
      page.set(Layout.U32, 12, 0);
      var crc = new java.util.zip.CRC32C();
      crc.update(page.toArray(Layout.U8));
      page.set(Layout.U32, 12, (int) crc.getValue());
      disk().write(Layout.LABEL_A, page.toArray(Layout.U8));
      disk().write(Layout.LABEL_B, page.toArray(Layout.U8));
      assertThat(world.refusal(() -> Pool.open(world.loop, List.of(DISK)))).as("%d at %d", forged[1], forged[0])
          .isIn(Status.CORRUPT, Status.NOT_FOUND);
      disk().write(Layout.LABEL_A, before);
      disk().write(Layout.LABEL_B, before);
    }
    assertWhole(world.open());
  }
}
