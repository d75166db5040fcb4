package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static io.remora.block.pool.PoolWorld.DISK;
import static io.remora.block.pool.PoolWorld.MIB;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.base.sim.SimFile;
import io.remora.block.Io;
import io.remora.block.pool.Finding.Severity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an inspection says of whole, damaged and incomplete pools; and that it changes nothing. */
class PoolInspectionTest {
  private static final Path SECOND = Path.of("/pool/1");

  private final PoolWorld world = new PoolWorld(61);
  private Usage usage = new Usage(0, 0, 0, 0, 0);
  private final List<Region> regions = new ArrayList<>();

  @BeforeEach
  void makePool() {
    Pool pool = world.create(16 * MIB, SECOND);
    Io thin = world.io(world.thin(pool, "thin", 8L * MIB + 4096));
    Io thick = world.io(world.thick(pool, "thick", 2L * MIB));
    for (int i = 0; i < 20; i += 2) {
      assertThat(thin.write((long) i * CLUSTER, Io.filled(CLUSTER, 1))).isEqualTo(Status.OK);
      assertThat(thick.write((long) i * CLUSTER, Io.filled(CLUSTER, 2))).isEqualTo(Status.OK);
    }
    Volume gone = world.thin(pool, "gone", MIB);
    Io io = world.io(gone);
    assertThat(io.write(0, Io.filled(MIB, 3))).isEqualTo(Status.OK);
    world.closeIo(io);
    world.await(() -> pool.delete(gone));
    usage = pool.usage();
    Collection<Region> all = pool.regions();
    regions.addAll(all);
    world.await(pool::close);
  }

  private PoolInspection inspect(Path... paths) {
    List<Path> all = paths.length == 0 ? List.of(DISK, SECOND) : List.of(paths);
    return world.await(() -> PoolInspection.run(world.loop, all, (done, total) -> assertThat(done).isLessThanOrEqualTo(
        total)));
  }

  private FoundPool inspectOne(Path... paths) {
    PoolInspection inspection = inspect(paths);
    assertThat(inspection.findings()).isEmpty();
    assertThat(inspection.pools()).hasSize(1);
    return inspection.pools().getFirst();
  }

  private SimFile disk(Path path) {
    return world.machine.disk().file(path);
  }

  private void lose(Region region, boolean table, int sector) {
    AreaPlace place = (table ? region.table : region.slots).place;
    for (int copy = 0; copy < 2; copy++) {
      disk(region.disk.path()).flipBit(place.start(copy) + sector * 512L + 40, 1);
    }
  }

  @Test
  void wholePoolHasNothingToReport() {
    byte[] before = disk(DISK).read(0, 16 * MIB);
    FoundPool pool = inspectOne();
    assertThat(pool.findings()).isEmpty();
    assertThat(pool.name()).isEqualTo("p");
    assertThat(pool.disks()).hasSize(2).noneMatch(FoundPool.FoundDisk::missing);
    assertThat(pool.volumes()).extracting(FoundVolume::name).containsExactly("thin", "thick");
    assertThat(pool.usedBytes()).isEqualTo(usage.usedBytes());
    assertThat(pool.totalBytes()).isEqualTo(usage.capacityBytes());
    FoundVolume thin = pool.volumes().getFirst();
    assertThat(thin.usedBytes()).isEqualTo(10L * CLUSTER);
    assertThat(thin.missing()).isEmpty();
    assertThat(thin.data()).hasSize(10).first().isEqualTo(new FoundVolume.Range(0, CLUSTER));
    Io io = world.io(thin.device());
    assertThat(io.read(0, CLUSTER)).containsOnly(1);
    assertThat(io.read(CLUSTER, CLUSTER)).containsOnly(0);
    assertThat(io.read(CLUSTER - 4096, 2 * CLUSTER)).endsWith(Io.filled(CLUSTER - 4096, 1));
    assertThat(io.read(8L * MIB, 4096)).containsOnly(0);
    assertThat(io.write(0, new byte[4096])).isEqualTo(Status.READ_ONLY);
    assertThat(disk(DISK).read(0, 16 * MIB)).isEqualTo(before);
  }

  @Test
  void poolInUseIsRefused() {
    disk(SECOND).holdElsewhere(true);
    assertThat(world.refusal(() -> PoolInspection.run(world.loop, List.of(DISK, SECOND), (done, total) -> {})))
        .isEqualTo(Status.BUSY);
  }

  @Test
  void oneBadCopyIsRepairableAndAnImportRepairsIt() {
    for (Region region : regions) {
      disk(region.disk.path()).flipBit(region.table.place.start(0) + 17, 0);
      disk(region.disk.path()).flipBit(Layout.LABEL_B + 700, 0);
    }
    disk(DISK).flipBit(regions.getFirst().slots.place.start(1) + 30, 0);
    FoundPool pool = inspectOne();
    assertThat(pool.count(Severity.REPAIRABLE)).isEqualTo(5);
    assertThat(pool.findings()).hasSize(5).anyMatch(finding -> finding.what().contains("one copy of the label"))
        .anyMatch(finding -> finding.what().contains("volume slots is broken in its second copy"));
    assertThat(pool.usedBytes()).isEqualTo(usage.usedBytes());
    assertThat(world.io(pool.volumes().getFirst().device()).read(0, CLUSTER)).containsOnly(1);
    world.await(world.open(DISK, SECOND)::close);
    assertThat(inspectOne().findings()).isEmpty();
  }

  @Test
  void lostSectorsAreLostUntilThatIsAccepted() {
    lose(regions.getFirst(), true, 0);
    FoundPool pool = inspectOne();
    assertThat(pool.count(Severity.LOST)).isEqualTo(1);
    assertThat(pool.lostBytes()).isEqualTo(31L * CLUSTER);
    FoundVolume thin = pool.volumes().getFirst();
    assertThat(thin.incomplete()).isTrue();
    assertThat(thin.missing()).isNotEmpty();
    long covered = thin.data().stream().mapToLong(FoundVolume.Range::lengthBytes).sum()
        + thin.missing().stream().mapToLong(FoundVolume.Range::lengthBytes).sum();
    assertThat(covered).isEqualTo(thin.sizeBytes());
    Pool open = world.open(DISK, SECOND);
    world.await(open::acceptDamage);
    world.await(open::close);
    assertThat(inspectOne().findings()).isEmpty();
  }

  @Test
  void lostSlotLeavesItsClustersWithoutAnOwner() {
    lose(regions.getFirst(), false, 0);
    FoundPool pool = inspectOne();
    assertThat(pool.volumes()).extracting(FoundVolume::name).containsExactly("thick");
    assertThat(pool.findings()).anyMatch(finding -> finding.what().contains("whose description is not there"));
    assertThat(pool.lostBytes()).isEqualTo(10L * CLUSTER);
  }

  @Test
  void missingDiskLeavesTheRest() {
    FoundPool pool = inspectOne(DISK);
    assertThat(pool.disks()).hasSize(2).last().matches(FoundPool.FoundDisk::missing);
    assertThat(pool.findings()).hasSize(1).first().asString().contains("disk 1").contains("missing");
    assertThat(pool.volumes()).hasSize(2).allMatch(FoundVolume::incomplete);
    assertThat(pool.usedBytes()).isBetween(1L, 19L * CLUSTER);
    for (FoundVolume volume : pool.volumes()) {
      for (FoundVolume.Range range : volume.data()) {
        assertThat(world.io(volume.device()).read(range.offsetBytes(), CLUSTER)).containsOnly(
            volume.thin() ? 1 : 2);
      }
    }
  }

  @Test
  void missingPrimaryLeavesWhatTheOthersKnow() {
    FoundPool pool = inspectOne(SECOND);
    assertThat(pool.findings()).anyMatch(finding -> finding.what().contains("the primary, is missing"));
    assertThat(pool.disks()).hasSize(2).first().matches(FoundPool.FoundDisk::missing);
    assertThat(pool.lostBytes()).isPositive();
  }

  @Test
  void disksWithoutALabelAreSaid() {
    disk(DISK).write(0, new byte[MIB]);
    Path none = Path.of("/none");
    world.machine.disk().device(none, 8L * MIB);
    PoolInspection inspection = inspect(DISK, SECOND, none);
    assertThat(inspection.findings()).hasSize(2).allMatch(finding -> finding.what().equals("holds no pool"));
    assertThat(inspection.pools()).hasSize(1);
    assertThat(inspection.count(Severity.LOST)).isGreaterThanOrEqualTo(3);
  }

  @Test
  void truncatedDiskIsReadAsFarAsItGoes() {
    byte[] half = disk(SECOND).read(0, 8 * MIB);
    Path cut = Path.of("/cut");
    world.machine.disk().device(cut, 8L * MIB).write(0, half);
    FoundPool pool = inspectOne(DISK, cut);
    assertThat(pool.findings()).anyMatch(finding -> finding.what().contains("ends at 8388608 bytes"))
        .anyMatch(finding -> finding.what().contains("broken in its second copy"));
    assertThat(pool.volumes()).hasSize(2);
    assertThat(world.io(pool.volumes().getFirst().device()).read(0, CLUSTER)).containsOnly(1);
  }

  @Test
  void unreadableBlocksFailAlone() {
    FoundPool pool = inspectOne();
    FoundVolume thin = pool.volumes().getFirst();
    FoundRegion region = pool.regionOf(thin.clusters().cluster(0));
    disk(region.file().path()).failReads(
        region.shape().clusterOffset(thin.clusters().cluster(0) - region.base(), CLUSTER) + 8192, 4096);
    Io io = world.io(thin.device());
    assertThat(io.readStatus(8192, 4096)).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(io.read(0, 8192)).containsOnly(1);
    assertThat(io.read(12288, CLUSTER - 12288)).containsOnly(1);
  }

  @Test
  void unclearOwnersAreReported() {
    Region region = regions.getFirst();
    Sectors sectors = new Sectors(Sectors.TABLE, region.shape.tag(), new io.remora.base.Crc32c());
    byte[] sector = disk(DISK).read(region.table.place.start(0), 512);
    var memory = java.lang.foreign.MemorySegment.ofArray(sector);
    var page = java.lang.foreign.Arena.ofAuto().allocate(512, 8).copyFrom(memory);
    int number = Entry.volume(page, 16);
    for (int entry = 25; entry < 29; entry++) {
      // Two more clusters claim the same place, one says it belongs to nobody, one lies behind the end.
      Entry.put(page, Entry.at(entry), Entry.MAPPED, entry == 27 ? 77 : number, entry == 28 ? 100_000 : 11, 5);
    }
    sectors.stamp(page, 0, 0, 1_000_000);
    disk(DISK).write(region.table.place.start(0), page.toArray(Layout.U8));
    disk(DISK).write(region.table.place.start(1), page.toArray(Layout.U8));
    FoundPool pool = inspectOne();
    assertThat(pool.findings()).anyMatch(finding -> finding.what().contains("as old as each other"))
        .anyMatch(finding -> finding.what().contains("3 clusters of volumes that were deleted or made smaller"));
  }

  @Test
  void volumesAreFoundByName() {
    PoolInspection inspection = inspect();
    assertThat(inspection.find("p/thin")).isSameAs(inspection.find("thin"));
    assertThat(inspection.find(inspection.find("thin").uuid().toString())).isSameAs(inspection.find("thin"));
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> inspection.find("none"))
        .hasMessageContaining("no volume none");
  }
}
