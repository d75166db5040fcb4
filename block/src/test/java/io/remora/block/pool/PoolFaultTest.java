package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static io.remora.block.pool.PoolWorld.DISK;
import static io.remora.block.pool.PoolWorld.MIB;
import static io.remora.block.pool.PoolWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.base.sim.PowerLoss;
import io.remora.base.sim.Recording;
import io.remora.base.sim.SimFile;
import io.remora.block.Io;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Disks that fail while a pool is in use: bad blocks under metadata and under data, and a host file system that is full. */
class PoolFaultTest {
  private final PoolWorld world = new PoolWorld(71);
  private long[] table = {};
  private long[] slots = {};

  @BeforeEach
  void makePool() {
    Pool pool = world.create(16 * MIB);
    Region region = pool.regions().iterator().next();
    table = new long[] {region.table.place.start(0), region.table.place.start(1)};
    slots = new long[] {region.slots.place.start(0), region.slots.place.start(1)};
    Io io = world.io(world.thin(pool, "v", 4L * MIB));
    assertThat(io.write(0, Io.filled(CLUSTER, 1))).isEqualTo(Status.OK);
    assertThat(io.flush()).isEqualTo(Status.OK);
    world.await(pool::close);
  }

  private SimFile disk() {
    return world.machine.disk().file(DISK);
  }

  private FoundPool inspect() {
    PoolInspection inspection = world.await(() -> PoolInspection.run(world.loop, List.of(DISK), (done, total) -> {}));
    world.loop.run(inspection::close);
    return inspection.pools().getFirst();
  }

  /** Writes to the pool, whose metadata cannot be written at {@code places}, and looks at it in the next life. */
  private void assertMoves(int moves, long... places) {
    for (long place : places) {
      disk().failWrites(place, 4096);
    }
    Pool pool = world.open();
    Io io = world.io(pool, "v");
    assertThat(io.write(CLUSTER, Io.filled(CLUSTER, 2))).isEqualTo(Status.OK);
    world.thin(pool, "w", MIB);
    assertThat(io.flush()).isEqualTo(Status.OK);
    assertThat(pool.failure()).isEmpty();
    assertThat(pool.warnings()).hasSize(1).first().asString().contains(moves + " pages of metadata had to move");
    world.machine.powerLoss(PowerLoss.ALL_LOST);
    world.loop = world.machine.start(1).getFirst();

    assertThat(inspect().findings()).isEmpty();
    Pool again = world.open();
    assertThat(again.problems()).isEmpty();
    assertThat(again.warnings()).hasSize(1);
    assertThat(again.volume("w")).isPresent();
    Io reader = world.io(again, "v");
    assertThat(reader.read(0, CLUSTER)).containsOnly(1);
    assertThat(reader.read(CLUSTER, CLUSTER)).containsOnly(2);
    assertThat(reader.write(2 * CLUSTER, Io.filled(CLUSTER, 3))).isEqualTo(Status.OK);
    world.await(again::close);
    assertThat(inspect().findings()).isEmpty();
  }

  @Test
  void copyThatCannotBeWrittenMoves() {
    assertMoves(1, table[0]);
    // What is left in the old place does not count any more, whatever becomes of the other copy.
    disk().flipBit(table[1] + 20, 1);
    Pool pool = world.open();
    assertThat(pool.problems()).hasSize(1).first().asString().contains("second copy; the other one served");
    assertThat(world.io(pool, "v").read(2 * CLUSTER, CLUSTER)).containsOnly(3);
  }

  @Test
  void bothCopiesMove() {
    assertMoves(2, table);
  }

  @Test
  void slotsMoveToo() {
    assertMoves(2, slots);
  }

  @Test
  void badSparePagesArePassedOver() {
    assertMoves(4, table[0], table[1], slots[0], slots[1], 4096, 8192);
  }

  @Test
  void aWriteThatFailsOnceIsTriedAgainInItsPlace() {
    Pool pool = world.open();
    disk().failWrites(table[1], 4096);
    Io io = world.io(pool, "v");
    var status = io.begin(Op.WRITE, CLUSTER, CLUSTER, Io.filled(CLUSTER, 2), false);
    world.sim.schedule(150_000, () -> disk().heal());
    assertThat(io.await(status)).isEqualTo(Status.OK);
    assertThat(pool.failure()).isEmpty();
  }

  @Test
  void newPagesOfTheTableMayBeBad() {
    Path big = Path.of("/pool/big");
    long bytes = 64L * MIB;
    Pool pool = world.await(() -> Pool.create(world.loop,
        new PoolConfig("big", uuid(2), List.of(new PoolConfig.DiskSpec(big, bytes)), CLUSTER, false)));
    Region region = pool.regions().iterator().next();
    for (int copy = 0; copy < 2; copy++) {
      world.machine.disk().file(big).failWrites(region.table.place.start(copy) + 4096L * copy, 4096);
    }
    Io io = world.io(world.thin(pool, "v", 64L * MIB));
    for (long at = 0; at < 300L * CLUSTER; at += CLUSTER) {
      assertThat(io.write(at, Io.filled(4096, 5))).isEqualTo(Status.OK);
    }
    assertThat(pool.warnings()).hasSize(1).first().asString().contains("2 pages of metadata");
    world.kill();
    Pool again = world.open(big);
    assertThat(again.problems()).isEmpty();
    assertThat(again.usage().usedBytes()).isEqualTo(300L * CLUSTER);
  }

  @Test
  void whatWasFlushedIsThereAfterAPowerLossWhilePagesMove() {
    Recording recording = world.machine.disk().record();
    Pool pool = world.open();
    disk().failWrites(table[0], 4096);
    disk().failWrites(table[1], 4096);
    Io io = world.io(pool, "v");
    assertThat(io.write(CLUSTER, Io.filled(CLUSTER, 2))).isEqualTo(Status.OK);
    assertThat(io.flush()).isEqualTo(Status.OK);
    int flushed = recording.size();
    for (int point = 0; point <= recording.size(); point++) {
      for (PowerLoss how : PowerLoss.values()) {
        PoolWorld after = PoolWorld.restored(recording.crashAfter(point, how, point), point);
        Pool found = after.open();
        if (point == flushed) {
          assertThat(found.damaged()).isFalse();
          assertThat(after.io(found, "v").read(CLUSTER, CLUSTER)).containsOnly(2);
        }
        // Both copies at once fail in the middle: until the label says where the new ones are, the old ones may be torn.
        if (!found.damaged()) {
          assertThat(after.io(found, "v").read(0, CLUSTER)).containsOnly(1);
        }
      }
    }
  }

  @Test
  void badBlocksOfDataAreReportedAndNotSpread() {
    Pool pool = world.open();
    Volume volume = pool.volume("v").orElseThrow();
    Region region = volume.region();
    Io other = world.io(world.thin(pool, "other", MIB));
    Io io = world.io(volume);
    disk().failReads(region.offset(volume.map().get(0) - region.base, CLUSTER) + 8192, 4096);
    assertThat(io.readStatus(0, CLUSTER)).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.readStatus(8192, 4096)).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.read(0, 8192)).containsOnly(1);
    assertThat(io.read(12288, CLUSTER - 12288)).containsOnly(1);
    assertThat(other.write(0, Io.filled(CLUSTER, 4))).isEqualTo(Status.OK);
    assertThat(io.write(CLUSTER, Io.filled(CLUSTER, 4))).isEqualTo(Status.OK);
    assertThat(pool.failure()).isEmpty();
    assertThat(pool.warnings()).hasSize(1).first().asString().contains("2 reads and 0 writes of data have failed")
        .contains(DISK.toString());
  }

  @Test
  void fullFileSystemIsOneStatusAndEndsWhenThereIsSpaceAgain() {
    Pool pool = world.open();
    Io a = world.io(pool, "v");
    Io b = world.io(world.thin(pool, "b", 64L * MIB));
    assertThat(b.write(0, Io.filled(CLUSTER, 7))).isEqualTo(Status.OK);
    world.machine.disk().capacityBytes(world.machine.disk().allocatedBytes() + 10L * CLUSTER);
    int refused = 0;
    for (long at = CLUSTER; at < 32L * CLUSTER; at += CLUSTER) {
      Status status = b.write(at, Io.filled(CLUSTER, 8));
      assertThat(status).isIn(Status.OK, Status.NO_SPACE);
      refused += status.isOk() ? 0 : 1;
    }
    assertThat(refused).isGreaterThan(20);
    assertThat(pool.failure()).isEmpty();
    assertThat(a.write(0, Io.filled(CLUSTER, 9))).isEqualTo(Status.OK);
    assertThat(a.read(0, CLUSTER)).containsOnly(9);
    assertThat(b.read(0, CLUSTER)).containsOnly(7);
    assertThat(b.flush()).isEqualTo(Status.OK);
    world.machine.disk().capacityBytes(Long.MAX_VALUE);
    world.settle();
    for (long at = 0; at < 32L * CLUSTER; at += CLUSTER) {
      assertThat(b.write(at, Io.filled(CLUSTER, 8))).isEqualTo(Status.OK);
    }
  }

  @Test
  void tableThatCannotGrowOnAFullFileSystemGrowsLater() {
    Path big = Path.of("/pool/big");
    Pool pool = world.await(() -> Pool.create(world.loop,
        new PoolConfig("big", uuid(2), List.of(new PoolConfig.DiskSpec(big, 64L * MIB)), CLUSTER, false)));
    Io io = world.io(world.thin(pool, "v", 64L * MIB));
    int pages = 0;
    Region region = pool.regions().iterator().next();
    long at = 0;
    for (; region.cleanCount() > 64 || pages == 0; at += CLUSTER) {
      assertThat(io.write(at, Io.filled(4096, 5))).isEqualTo(Status.OK);
      pages = region.tableUsed;
    }
    world.machine.disk().capacityBytes(world.machine.disk().allocatedBytes());
    int refused = 0;
    for (int i = 0; i < 100; i++, at += CLUSTER) {
      refused += io.write(at, Io.filled(4096, 5)) == Status.NO_SPACE ? 1 : 0;
    }
    // The simulated disk lets a few land.
    assertThat(refused).isGreaterThan(80);
    assertThat(pool.failure()).isEmpty();
    world.machine.disk().capacityBytes(Long.MAX_VALUE);
    world.settle();
    assertThat(io.write(at, Io.filled(4096, 5))).isEqualTo(Status.OK);
    assertThat(region.tableUsed).isGreaterThan(pages);
  }
}
