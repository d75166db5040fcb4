package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static io.remora.block.pool.PoolWorld.DISK;
import static io.remora.block.pool.PoolWorld.KIB;
import static io.remora.block.pool.PoolWorld.MIB;
import static io.remora.block.pool.PoolWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.PowerLoss;
import io.remora.block.BlockDevice;
import io.remora.block.Io;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PoolTest {
  private final PoolWorld world = new PoolWorld(11);

  private static void assertExact(Pool pool) {
    Usage usage = pool.usage();
    assertThat(usage.usedBytes() + usage.reservedBytes() + usage.availableBytes()).isEqualTo(usage.capacityBytes());
    long used = pool.volumes().stream().mapToLong(volume -> pool.usage(volume).usedBytes()).sum();
    long reserved = pool.volumes().stream().mapToLong(volume -> pool.usage(volume).reservedBytes()).sum();
    assertThat(usage.usedBytes()).isEqualTo(used);
    assertThat(usage.reservedBytes()).isEqualTo(reserved);
    assertThat(usage.availableBytes()).isNotNegative();
  }

  @Test
  void volumeHoldsDataAcrossImports() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thin(pool, "v", 4L * MIB + 4096);
    Io io = world.io(volume);
    byte[] data = Io.filled(3 * CLUSTER, 5);
    assertThat(io.read(0, MIB)).containsOnly(0);
    assertThat(io.write(CLUSTER / 2, data)).isEqualTo(Status.OK);
    assertThat(io.read(CLUSTER / 2, data.length)).isEqualTo(data);
    assertThat(io.compare(CLUSTER / 2, data)).isEqualTo(Status.OK);
    assertThat(io.compare(CLUSTER / 2 - 4096, data)).isEqualTo(Status.MISCOMPARE);
    assertThat(io.flush()).isEqualTo(Status.OK);
    assertThat(pool.usage(volume).usedBytes()).isEqualTo(4L * CLUSTER);
    assertThat(volume.sizeBytes()).isEqualTo(4L * MIB + 4096);
    assertExact(pool);
    Usage before = pool.usage();
    world.await(pool::close);
    assertThat(io.readStatus(0, 4096)).isEqualTo(Status.ABORTED);

    Pool again = world.open();
    assertThat(again.name()).isEqualTo("p");
    assertThat(again.uuid()).isEqualTo(uuid(1));
    assertThat(again.usage()).isEqualTo(before);
    assertThat(again.problems()).isEmpty();
    Volume found = again.volume("v").orElseThrow();
    assertThat(found.uuid()).isEqualTo(volume.uuid());
    assertThat(found.sizeBytes()).isEqualTo(4L * MIB + 4096);
    Io reader = world.io(found);
    assertThat(reader.read(CLUSTER / 2, data.length)).isEqualTo(data);
    assertThat(reader.read(0, CLUSTER / 2)).containsOnly(0);
  }

  @Test
  void completedWritesSurviveAKillAndFlushedOnesAPowerLoss() {
    Pool pool = world.create(16 * MIB);
    Io io = world.io(world.thin(pool, "v", 4L * MIB));
    assertThat(io.write(0, Io.filled(2 * CLUSTER, 1))).isEqualTo(Status.OK);
    world.kill();
    Pool killed = world.open();
    io = world.io(killed, "v");
    assertThat(io.read(0, 2 * CLUSTER)).containsOnly(1);
    assertThat(io.flush()).isEqualTo(Status.OK);
    assertThat(io.write(0, Io.filled(4096, 2))).isEqualTo(Status.OK);
    assertThat(io.writeFua(CLUSTER, Io.filled(4096, 3))).isEqualTo(Status.OK);
    assertThat(io.writeFua(5 * CLUSTER, Io.filled(4096, 4))).isEqualTo(Status.OK);
    world.machine.powerLoss(PowerLoss.ALL_LOST);
    world.loop = world.machine.start(1).getFirst();
    Pool lost = world.open();
    io = world.io(lost, "v");
    assertThat(io.read(4096, CLUSTER - 4096)).containsOnly(1);
    assertThat(io.read(CLUSTER, 4096)).containsOnly(3);
    assertThat(io.read(5 * CLUSTER, 4096)).containsOnly(4);
    assertThat(io.read(5 * CLUSTER + 4096, 4096)).containsOnly(0);
    assertExact(lost);
  }

  @Test
  void deallocateGivesSpaceBackToPoolAndFile() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thin(pool, "v", 8L * MIB);
    Io io = world.io(volume);
    assertThat(io.write(0, Io.filled(4 * MIB, 1))).isEqualTo(Status.OK);
    long full = world.machine.disk().file(DISK).allocatedBytes();
    assertThat(io.deallocate(4096, 4L * MIB - 4096)).isEqualTo(Status.OK);
    assertThat(io.read(0, 4096)).containsOnly(1);
    assertThat(io.read(4096, 4 * MIB - 4096)).containsOnly(0);
    assertThat(pool.usage(volume).usedBytes()).isEqualTo(CLUSTER);
    assertExact(pool);
    world.settle();
    assertThat(world.machine.disk().file(DISK).allocatedBytes()).isLessThan(full - 3 * MIB);
    assertThat(io.zero(0, 4096)).isEqualTo(Status.OK);
    assertThat(io.read(0, 4096)).containsOnly(0);
  }

  @Test
  void deallocateToTheEndOfAVolumeFreesItsLastCluster() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thin(pool, "v", CLUSTER + 4096L);
    Io io = world.io(volume);
    assertThat(io.write(0, Io.filled(CLUSTER + 4096, 1))).isEqualTo(Status.OK);
    assertThat(io.deallocate(CLUSTER, 4096)).isEqualTo(Status.OK);
    assertThat(pool.usage(volume).usedBytes()).isEqualTo(CLUSTER);
  }

  @Test
  void fullPoolRefusesNewClustersOnly() {
    Pool pool = world.create(8 * MIB);
    Io a = world.io(world.thin(pool, "a", 64L * MIB));
    Io b = world.io(world.thin(pool, "b", 64L * MIB));
    assertThat(b.write(0, Io.filled(CLUSTER, 9))).isEqualTo(Status.OK);
    long capacity = pool.usage().capacityBytes();
    long at = 0;
    while (pool.usage().availableBytes() > 0) {
      assertThat(a.write(at, Io.filled(CLUSTER, 1))).isEqualTo(Status.OK);
      at += CLUSTER;
    }
    assertThat(a.write(at, Io.filled(4096, 1))).isEqualTo(Status.NO_SPACE);
    assertThat(b.write(CLUSTER, Io.filled(4096, 1))).isEqualTo(Status.NO_SPACE);
    assertThat(a.write(0, Io.filled(CLUSTER, 2))).isEqualTo(Status.OK);
    assertThat(b.read(0, CLUSTER)).containsOnly(9);
    assertThat(b.flush()).isEqualTo(Status.OK);
    assertThat(pool.usage().usedBytes()).isEqualTo(capacity);
    assertThat(pool.failure()).isEmpty();
    // What is freed is there at once for the next, who waits until it is clean.
    assertThat(a.deallocate(0, CLUSTER)).isEqualTo(Status.OK);
    assertThat(b.write(CLUSTER, Io.filled(4096, 1))).isEqualTo(Status.OK);
    assertThat(b.read(CLUSTER + 4096, CLUSTER - 4096)).containsOnly(0);
    assertThat(a.read(0, CLUSTER)).containsOnly(0);
    assertExact(pool);
  }

  @Test
  void thickVolumeNeverLacksSpace() {
    Pool pool = world.create(8 * MIB);
    long half = pool.usage().capacityBytes() / 2 & -(long) CLUSTER;
    Volume thick = world.thick(pool, "thick", half);
    assertThat(pool.usage().reservedBytes()).isEqualTo(half);
    assertThat(world.refusal(() -> pool.createVolume(VolumeSpec.thick("second", uuid(5), half + 2L * CLUSTER))))
        .isEqualTo(Status.NO_SPACE);
    Io thin = world.io(world.thin(pool, "thin", 64L * MIB));
    long at = 0;
    while (thin.write(at, Io.filled(CLUSTER, 1)).isOk()) {
      at += CLUSTER;
    }
    assertThat(pool.usage().availableBytes()).isZero();
    Io io = world.io(thick);
    for (long i = 0; i < half; i += CLUSTER) {
      assertThat(io.write(i, Io.filled(CLUSTER, 2))).isEqualTo(Status.OK);
    }
    assertThat(pool.usage().reservedBytes()).isZero();
    assertThat(io.deallocate(0, half)).isEqualTo(Status.OK);
    assertThat(pool.usage().reservedBytes()).isEqualTo(half);
    assertThat(thin.write(at, Io.filled(CLUSTER, 1))).isEqualTo(Status.NO_SPACE);
    assertExact(pool);
    world.kill();
    Pool again = world.open();
    assertThat(again.usage().reservedBytes()).isEqualTo(half);
    assertExact(again);
  }

  @Test
  void deletedVolumeLeavesNothingToTheNext() {
    Pool pool = world.create(8 * MIB);
    Volume first = world.thin(pool, "first", 64L * MIB);
    Io io = world.io(first);
    long at = 0;
    while (io.write(at, Io.filled(CLUSTER, 7)).isOk()) {
      at += CLUSTER;
    }
    assertThat(world.refusal(() -> pool.delete(first))).isEqualTo(Status.BUSY);
    world.closeIo(io);
    world.await(() -> pool.delete(first));
    assertThat(pool.usage().usedBytes()).isZero();
    assertThat(pool.volumes()).isEmpty();
    Io next = world.io(world.thin(pool, "next", 64L * MIB));
    for (long i = 0; i < at; i += CLUSTER) {
      assertThat(next.write(i, Io.filled(4096, 1))).isEqualTo(Status.OK);
      assertThat(next.read(i + 4096, CLUSTER - 4096)).containsOnly(0);
    }
    assertExact(pool);
  }

  @Test
  void resizeIsExactAndWhatItAddsIsZeros() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thin(pool, "v", 4L * CLUSTER);
    Io io = world.io(volume);
    List<Long> sizes = new ArrayList<>();
    volume.addListener(new BlockDevice.Listener() {
      @Override
      public void onResized(BlockDevice device) {
        sizes.add(device.sizeBytes());
      }

      @Override
      public void onRemoved(BlockDevice device, Status reason) {}
    });
    assertThat(io.write(0, Io.filled(4 * CLUSTER, 3))).isEqualTo(Status.OK);
    world.await(() -> pool.resize(volume, CLUSTER + 8192L));
    assertThat(pool.usage(volume).usedBytes()).isEqualTo(2L * CLUSTER);
    assertThat(io.readStatus(CLUSTER + 8192, 4096)).isEqualTo(Status.OUT_OF_RANGE);
    world.await(() -> pool.resize(volume, 6L * CLUSTER));
    assertThat(sizes).containsExactly(CLUSTER + 8192L, 6L * CLUSTER);
    assertThat(io.read(0, CLUSTER + 8192)).containsOnly(3);
    assertThat(io.read(CLUSTER + 8192, 4 * CLUSTER)).containsOnly(0);
    assertExact(pool);
    world.powerLoss();
    Pool again = world.open();
    assertThat(again.volume("v").orElseThrow().sizeBytes()).isEqualTo(6L * CLUSTER);
    assertThat(world.io(again, "v").read(CLUSTER + 8192, 4 * CLUSTER)).containsOnly(0);
    assertThat(world.refusal(() -> again.resize(again.volume("v").orElseThrow(), 1000))).isEqualTo(Status.INVALID);
  }

  @Test
  void thickResizeReserves() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thick(pool, "v", 4L * CLUSTER);
    world.await(() -> pool.resize(volume, 10L * CLUSTER));
    assertThat(pool.usage().reservedBytes()).isEqualTo(10L * CLUSTER);
    assertThat(world.refusal(() -> pool.resize(volume, 1L << 40))).isEqualTo(Status.NO_SPACE);
    Io io = world.io(volume);
    assertThat(io.write(0, Io.filled(CLUSTER, 3))).isEqualTo(Status.OK);
    assertThat(io.write(9L * CLUSTER, Io.filled(CLUSTER, 3))).isEqualTo(Status.OK);
    world.await(() -> pool.resize(volume, 3L * CLUSTER));
    assertThat(pool.usage().reservedBytes()).isEqualTo(2L * CLUSTER);
    assertExact(pool);
  }

  @Test
  void namesAndIdentitiesAreTakenOnce() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thin(pool, "v", MIB);
    assertThat(world.refusal(() -> pool.createVolume(VolumeSpec.thin("v", uuid(77), MIB)))).isEqualTo(Status.EXISTS);
    assertThat(world.refusal(() -> pool.createVolume(VolumeSpec.thin("w", volume.uuid(), MIB))))
        .isEqualTo(Status.EXISTS);
    assertThat(world.refusal(() -> pool.createVolume(VolumeSpec.thin("", uuid(78), MIB)))).isEqualTo(Status.INVALID);
    assertThat(world.refusal(() -> pool.createVolume(VolumeSpec.thin("x", uuid(78), 0)))).isEqualTo(Status.INVALID);
    assertThat(world.refusal(() -> pool.createVolume(VolumeSpec.thin("x", uuid(78), 100)))).isEqualTo(Status.INVALID);
    world.await(() -> pool.setProperties(volume, Map.of("owner", "dbä", "tier", "1")));
    assertThat(world.refusal(() -> pool.setProperties(volume, Map.of("k", "x".repeat(400))))).isEqualTo(
        Status.INVALID);
    world.powerLoss();
    assertThat(world.open().volume("v").orElseThrow().properties())
        .isEqualTo(Map.of("owner", "dbä", "tier", "1"));
  }

  @Test
  void manyVolumesInASmallPool() {
    Pool pool = world.create(16 * MIB);
    int count = 0;
    while (true) {
      int number = count;
      try {
        world.await(() -> pool.createVolume(VolumeSpec.thin("v" + number, uuid(number), MIB)));
        count++;
      } catch (RemoraException e) {
        assertThat(e.status()).isEqualTo(Status.NO_RESOURCES);
        break;
      }
    }
    assertThat(count).isEqualTo(64);
    world.await(() -> pool.delete(pool.volume("v3").orElseThrow()));
    world.thin(pool, "again", MIB);
    world.powerLoss();
    assertThat(world.open().volumes()).hasSize(64);
  }

  @Test
  void severalDisksShareTheLoad() {
    Path second = Path.of("/pool/1");
    Path third = Path.of("/pool/2");
    Pool pool = world.create(8 * MIB, second);
    Io io = world.io(world.thin(pool, "v", 64L * MIB));
    assertThat(io.write(0, Io.filled(2 * MIB, 1))).isEqualTo(Status.OK);
    world.await(() -> pool.addDisk(new PoolConfig.DiskSpec(third, 12L * MIB), false));
    assertThat(world.refusal(() -> pool.addDisk(new PoolConfig.DiskSpec(third, 12L * MIB), false)))
        .isEqualTo(Status.EXISTS);
    world.settle();
    assertThat(io.write(2L * MIB, Io.filled(3 * MIB, 2))).isEqualTo(Status.OK);
    assertThat(io.flush()).isEqualTo(Status.OK);
    for (Path path : List.of(DISK, second, third)) {
      assertThat(world.machine.disk().file(path).allocatedBytes()).isGreaterThan(MIB / 2);
    }
    Usage usage = pool.usage();
    world.powerLoss();
    assertThat(world.failure(() -> Pool.open(world.loop, List.of(DISK, second)))).hasMessageContaining("missing")
        .hasMessageContaining("disk 2");
    assertThat(world.failure(() -> Pool.open(world.loop, List.of(third, second)))).hasMessageContaining("primary")
        .hasMessageContaining("missing");
    Pool again = world.open(third, DISK, second);
    assertThat(again.usage()).isEqualTo(usage);
    Io reader = world.io(again, "v");
    assertThat(reader.read(0, 2 * MIB)).containsOnly(1);
    assertThat(reader.read(2L * MIB, 3 * MIB)).containsOnly(2);
  }

  @Test
  void poolGrowsWhileInUse() {
    Pool pool = world.create(4 * MIB);
    Io io = world.io(world.thin(pool, "v", 64L * MIB));
    long before = pool.usage().capacityBytes();
    long at = 0;
    while (io.write(at, Io.filled(CLUSTER, 1)).isOk()) {
      at += CLUSTER;
    }
    world.await(() -> pool.grow(DISK, 12L * MIB));
    assertThat(pool.usage().capacityBytes()).isGreaterThan(before + 6 * MIB);
    assertThat(io.write(at, Io.filled(2 * MIB, 2))).isEqualTo(Status.OK);
    world.machine.disk().file(DISK).resize(20L * MIB);
    world.await(pool::grow);
    world.await(pool::grow);
    assertThat(pool.usage().capacityBytes()).isGreaterThan(before + 13 * MIB);
    assertThat(io.flush()).isEqualTo(Status.OK);
    assertExact(pool);
    Usage usage = pool.usage();
    world.powerLoss();
    Pool again = world.open();
    assertThat(again.usage()).isEqualTo(usage);
    assertThat(world.io(again, "v").read(at, 2 * MIB)).containsOnly(2);
    assertThat(world.refusal(() -> again.grow(Path.of("/other"), MIB))).isEqualTo(Status.NOT_FOUND);
  }

  @Test
  void disksOfAnotherPoolAreNotTaken() {
    Pool pool = world.create(8 * MIB);
    world.await(pool::close);
    PoolConfig other = new PoolConfig("other", uuid(2), List.of(new PoolConfig.DiskSpec(DISK, 0)), MIB, false);
    assertThat(world.failure(() -> Pool.create(world.loop, other))).hasMessageContaining("pool 'p'")
        .satisfies(e -> assertThat(e.status()).isEqualTo(Status.EXISTS));
    PoolConfig forced = new PoolConfig("other", uuid(2), List.of(new PoolConfig.DiskSpec(DISK, 0)), CLUSTER, true);
    Pool taken = world.await(() -> Pool.create(world.loop, forced));
    world.thin(taken, "x", MIB);
    world.powerLoss();
    Pool again = world.open();
    assertThat(again.name()).isEqualTo("other");
    world.await(again::destroy);
    assertThat(world.refusal(() -> Pool.open(world.loop, List.of(DISK)))).isEqualTo(Status.NOT_FOUND);
    world.create(8 * MIB);
  }

  @Test
  void poolHeldElsewhereIsBusyAndTooSmallIsInvalid() {
    Pool pool = world.create(8 * MIB);
    world.await(pool::close);
    world.machine.disk().file(DISK).holdElsewhere(true);
    assertThat(world.refusal(() -> Pool.open(world.loop, List.of(DISK)))).isEqualTo(Status.BUSY);
    assertThat(world.refusal(
        () -> Pool.create(world.loop, PoolConfig.of("tiny", uuid(3), Path.of("/tiny"), MIB + 64 * KIB))))
        .isEqualTo(Status.INVALID);
    assertThat(world.refusal(() -> Pool.open(world.loop, List.of(Path.of("/none"))))).isEqualTo(Status.NOT_FOUND);
  }

  @Test
  void diskThatWasFullOfOldDataShowsNone() {
    world.machine.disk().canDeallocate(false);
    world.machine.disk().device(DISK, 8L * MIB).write(0, Io.filled(8 * MIB, 0xEE));
    Pool pool = world.await(() -> Pool.create(world.loop, new PoolConfig("p", uuid(1),
        List.of(new PoolConfig.DiskSpec(DISK, 0)), CLUSTER, false)));
    Io io = world.io(world.thin(pool, "v", 64L * MIB));
    long at = 0;
    while (io.write(at, Io.filled(4096, 1)).isOk()) {
      assertThat(io.read(at + 4096, CLUSTER - 4096)).containsOnly(0);
      at += CLUSTER;
    }
    assertThat(at).isEqualTo(pool.usage().capacityBytes());
    world.kill();
    Pool again = world.open();
    assertThat(again.problems()).isEmpty();
    assertThat(world.io(again, "v").read(at - CLUSTER, 4096)).containsOnly(1);
  }

  @Test
  void failedMetadataWriteMakesThePoolReadOnly() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thin(pool, "v", 4L * MIB);
    Io io = world.io(volume);
    assertThat(io.write(0, Io.filled(4096, 1))).isEqualTo(Status.OK);
    assertThat(io.flush()).isEqualTo(Status.OK);
    Region region = volume.region();
    world.machine.disk().file(DISK).failWrites(region.table.place.start(1), 4096);
    // Nor can the pages be written that would take its place.
    world.machine.disk().file(DISK).failWrites(4096, MIB - 4096);
    assertThat(io.write(CLUSTER, Io.filled(4096, 2))).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(pool.failure()).hasValueSatisfying(why -> assertThat(why).contains("cannot write metadata"));
    assertThat(volume.readOnly()).isTrue();
    assertThat(io.write(0, Io.filled(4096, 2))).isEqualTo(Status.READ_ONLY);
    assertThat(io.read(0, 4096)).containsOnly(1);
    assertThat(world.refusal(() -> pool.createVolume(VolumeSpec.thin("w", uuid(9), MIB)))).isEqualTo(
        Status.READ_ONLY);
    world.await(pool::close);
    world.machine.disk().file(DISK).heal();
    Pool again = world.open();
    assertThat(world.io(again, "v").read(0, 4096)).containsOnly(1);
    assertThat(again.failure()).isEmpty();
    assertExact(again);
  }

  @Test
  void failedFlushIsNeverFollowedByASuccess() {
    Pool pool = world.create(16 * MIB);
    Io io = world.io(world.thin(pool, "v", 4L * MIB));
    assertThat(io.write(0, Io.filled(4096, 1))).isEqualTo(Status.OK);
    world.machine.disk().file(DISK).failFlushes(true);
    assertThat(io.flush()).isEqualTo(Status.MEDIUM_ERROR);
    world.machine.disk().file(DISK).failFlushes(false);
    assertThat(io.flush()).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.write(0, Io.filled(4096, 1))).isEqualTo(Status.READ_ONLY);
  }

  @Test
  void failedDataReadAndWriteAreTheRequestsOwn() {
    Pool pool = world.create(16 * MIB);
    Volume volume = world.thin(pool, "v", 4L * MIB);
    Io io = world.io(volume);
    assertThat(io.write(0, Io.filled(2 * CLUSTER, 1))).isEqualTo(Status.OK);
    Region region = volume.region();
    long at = region.offset(volume.map().get(0) - region.base, CLUSTER);
    world.machine.disk().file(DISK).failReads(at, 4096);
    world.machine.disk().file(DISK).failWrites(at, 4096);
    assertThat(io.readStatus(0, 4096)).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.write(0, Io.filled(4096, 1))).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.read(4096, CLUSTER)).containsOnly(1);
    assertThat(io.write(CLUSTER, Io.filled(4096, 2))).isEqualTo(Status.OK);
    assertThat(pool.failure()).isEmpty();
    // The bad block is found again when the cluster is cleaned, and stays out of use.
    assertThat(io.deallocate(0, CLUSTER)).isEqualTo(Status.OK);
    world.settle();
    assertThat(pool.problems()).anyMatch(problem -> problem.contains("cannot write"));
    assertThat(pool.usage().damagedBytes()).isEqualTo(CLUSTER);
    assertExact(pool);
    world.await(pool::close);
    Pool again = world.open();
    assertThat(again.usage().damagedBytes()).isEqualTo(CLUSTER);
    assertExact(again);
  }
}
