package io.remora.block.pool;

import static io.remora.block.pool.PoolWorkload.BLOCK;
import static io.remora.block.pool.PoolWorkload.CLUSTER;

import io.remora.base.Status;
import io.remora.base.sim.PowerLoss;
import io.remora.base.sim.Recording;
import io.remora.base.sim.Seeds;
import io.remora.base.sim.SimImage;
import io.remora.block.Io;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A crash at every step of random work: the pool opens, flushed data is there (after a kill: completed data), every other block is
 * old or new, no volume shows anything but its own data, and the space is exact.
 */
class PoolCrashProperty {
  private static final int REQUESTS = 130;
  private static final int IN_FLIGHT = 5;

  static long[] seeds() {
    return Seeds.of(8);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void everyCrashLeavesAPoolThatHolds(long seed) {
    PoolWorkload work = new PoolWorkload(seed, REQUESTS, IN_FLIGHT);
    work.run();
    Recording recording = work.recording;
    SplittableRandom random = new SplittableRandom(seed);
    for (int point = 0; point <= recording.size(); point++) {
      if (recording.distinct(point)) {
        for (PowerLoss how : PowerLoss.values()) {
          // All kinds at some points, one or two at each: so all points of all seeds are affordable.
          if (point % 16 == 0 || random.nextInt(4) == 0) {
            check(work, point, how, random);
          }
        }
      }
      if (random.nextInt(3) == 0) {
        check(work, point, null, random);
      }
    }
  }

  private static void check(PoolWorkload work, int point, @Nullable PowerLoss how, SplittableRandom random) {
    SimImage image = how == null
        ? work.recording.killAfter(point, work.seed + point)
        : work.recording.crashAfter(point, how, work.seed + point);
    try {
      new Aftermath(work, image, point, how != null).check(random.nextInt(24) == 0);
    } catch (AssertionError | RuntimeException e) {
      if (Boolean.getBoolean("remora.crash.trace")) {
        for (int i = 0; i <= point; i++) {
          System.err.println(i + " " + work.recording.describe(i));
        }
      }
      throw new AssertionError("seed %d, %s at point %d of %d (%s)".formatted(work.seed, how == null ? "kill" : how,
          point, work.recording.size(), work.recording.describe(point)), e);
    }
  }

  /** What is there after one crash. */
  private static final class Aftermath {
    private final PoolWorkload work;
    private final PoolWorld world;
    private final int point;
    private final boolean powerLoss;

    Aftermath(PoolWorkload work, SimImage image, int point, boolean powerLoss) {
      this.work = work;
      this.world = PoolWorld.restored(image, work.seed * 31 + point);
      this.point = point;
      this.powerLoss = powerLoss;
      PoolWorkload.configure(world.machine, work.seed);
    }

    void check(boolean deeply) {
      FoundPool found = inspect();
      Pool pool;
      if (deeply) {
        pool = crashInTheImport();
      } else {
        pool = open();
      }
      checkVolumes(pool);
      checkSpace(pool);
      checkClusters(pool);
      if (deeply) {
        checkThatFreeSpaceIsClean(pool);
        checkThatNothingIsLeft(pool);
      } else {
        checkFound(found, pool);
      }
    }

    /** The disks of the pool: the one that was being added may be one, or not. */
    private List<Path> paths() {
      List<Path> all = new ArrayList<>(work.paths);
      if (world.machine.disk().file(PoolWorkload.ADDED).exists()) {
        PoolInspection inspection = inspect(List.of(work.paths.getFirst()));
        world.loop.run(inspection::close);
        if (inspection.pools().getFirst().disks().size() > work.paths.size()) {
          all.add(PoolWorkload.ADDED);
        } else if (work.addedSince <= point) {
          throw new AssertionError("the disk that was added is gone");
        }
      }
      return all;
    }

    private PoolInspection inspect(List<Path> paths) {
      return world.await(() -> PoolInspection.run(world.loop, paths, (done, total) -> {}));
    }

    /** Whoever looks at the disks after the crash sees no damage; what is half done is so as a crash leaves it. */
    private FoundPool inspect() {
      PoolInspection inspection = inspect(paths());
      FoundPool found = inspection.pools().getFirst();
      boolean settles = found.findings().stream().allMatch(finding -> finding.severity() == Finding.Severity.SETTLES
          || finding.what().contains("one copy of the label is not usable"));
      if (inspection.pools().size() != 1 || !settles) {
        throw new AssertionError("findings: " + inspection.findings() + found.findings());
      }
      world.loop.run(inspection::close);
      return found;
    }

    /** The inspection, which shares no code with the import, counts the same. */
    private void checkFound(FoundPool found, Pool pool) {
      boolean same = found.usedBytes() == pool.usage().usedBytes() && found.volumes().size() == pool.volumes().size();
      for (FoundVolume volume : found.volumes()) {
        Volume there = pool.volume(volume.uuid()).orElse(null);
        same &= there != null && there.sizeBytes() == volume.sizeBytes()
            && pool.usage(there).usedBytes() == volume.usedBytes();
      }
      if (!same) {
        throw new AssertionError("found " + found.volumes() + " and " + found.usedBytes() + " bytes used, imported "
            + pool.volumes() + " and " + pool.usage());
      }
    }

    /** Once the pool has been opened and closed there is nothing to settle or to repair any more. */
    private void checkThatNothingIsLeft(Pool pool) {
      world.await(pool::close);
      FoundPool found = inspect();
      if (!found.findings().isEmpty()) {
        throw new AssertionError("left after an import: " + found.findings());
      }
    }

    /** Every cluster is in one place: a volume's, or one of the sets of free ones, or not taken into use yet. */
    private void checkClusters(Pool pool) {
      for (Region region : pool.regions()) {
        BitSet mapped = new BitSet();
        for (Volume volume : pool.volumes()) {
          for (long at = volume.map().next(0); at >= 0; at = volume.map().next(at + 1)) {
            int cluster = volume.map().get(at) - region.base;
            if (cluster >= 0 && cluster < region.shape.clusters()) {
              if (mapped.get(cluster)) {
                throw new AssertionError("cluster " + cluster + " is owned twice");
              }
              mapped.set(cluster);
            }
          }
        }
        BitSet all = (BitSet) mapped.clone();
        long sum = mapped.cardinality();
        for (BitSet free : List.of(region.clean, region.freed, region.stale)) {
          sum += free.cardinality();
          all.or(free);
        }
        int inUse = region.clustersIn(region.tableUsed);
        boolean whole = sum == inUse || region.disk.cleaner().busy();
        if (all.cardinality() != sum || all.length() > inUse || !whole) {
          throw new AssertionError("%d of %d clusters in use: %s mapped, %s clean, %s freed, %s stale".formatted(sum,
              inUse, mapped, region.clean, region.freed, region.stale));
        }
      }
    }

    /** What is surely not zeros has its cluster, and what was never written has none. */
    private void checkMapped(Volume volume, VolumeModel model) {
      int perCluster = CLUSTER / BLOCK;
      for (int cluster = 0; cluster < volume.clusters(); cluster++) {
        int first = cluster * perCluster;
        long blocks = volume.sizeBytes() / BLOCK;
        boolean must = false;
        boolean may = false;
        // A volume that was made smaller keeps its last cluster, whatever part of it was written.
        for (int block = first; block < Math.min(first + perCluster, PoolWorkload.MAX_BLOCKS); block++) {
          must |= block < blocks && !model.possible(block, point, powerLoss).contains(0L);
          may |= model.everWritten(block, point);
        }
        boolean mapped = volume.map().get(cluster) >= 0;
        if (mapped ? !may : must) {
          throw new AssertionError("cluster %d of %s is %s".formatted(cluster, model.name,
              mapped ? "mapped, and was never written" : "not mapped, and holds data"));
        }
      }
    }

    private Pool open() {
      Pool pool = world.open(paths().toArray(Path[]::new));
      // A label that was being written looks like one that is broken.
      if (!pool.problems().stream().allMatch(problem -> problem.contains("one copy of the label"))) {
        throw new AssertionError("problems: " + pool.problems());
      }
      return pool;
    }

    /** The import's own repairs are cut off, too. */
    private Pool crashInTheImport() {
      List<Path> paths = paths();
      world.loop.call(() -> Pool.open(world.loop, paths));
      world.sim.runFor(world.sim.random().nextLong(3_000_000));
      if (powerLoss) {
        world.powerLoss();
      } else {
        world.kill();
      }
      return open();
    }

    private void checkVolumes(Pool pool) {
      int found = 0;
      for (VolumeModel model : work.models) {
        Volume volume = pool.volume(PoolWorld.uuid(model.number)).orElse(null);
        long there = volume == null ? 0 : 1;
        if (!model.possiblePresence(point).contains(there)) {
          throw new AssertionError("volume " + model.name + (volume == null ? " is lost" : " is back"));
        }
        if (volume != null) {
          found++;
          if (!model.possibleSizes(point).contains(volume.sizeBytes())) {
            throw new AssertionError("volume " + model.name + " has " + volume.sizeBytes() + " bytes, not one of "
                + model.possibleSizes(point));
          }
          checkContent(volume, model);
          checkMapped(volume, model);
        }
      }
      if (found != pool.volumes().size()) {
        throw new AssertionError("volumes that nobody made: " + pool.volumes());
      }
    }

    private void checkContent(Volume volume, VolumeModel model) {
      Io io = world.io(volume);
      MemorySegment content = MemorySegment.ofArray(io.read(0, (int) volume.sizeBytes()));
      for (int block = 0; block < volume.sizeBytes() / BLOCK; block++) {
        long value = content.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) block * BLOCK);
        for (int i = 8; i < BLOCK; i += 8) {
          if (content.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) block * BLOCK + i) != value) {
            throw new AssertionError("block %d of %s is torn inside".formatted(block, model.name));
          }
        }
        if (!model.possible(block, point, powerLoss).contains(value)) {
          throw new AssertionError("block %d of %s holds %d, not one of %s:%s".formatted(block, model.name,
              value, model.possible(block, point, powerLoss), model.history(block)));
        }
      }
      world.closeIo(io);
    }

    /** Used, reserved and available are what the volumes say, and nothing is missing. */
    private void checkSpace(Pool pool) {
      Usage usage = pool.usage();
      long used = pool.volumes().stream().mapToLong(volume -> pool.usage(volume).usedBytes()).sum();
      long reserved = pool.volumes().stream().mapToLong(volume -> pool.usage(volume).reservedBytes()).sum();
      long clusters = pool.regions().stream().mapToLong(region -> region.shape.clusters()).sum();
      if (usage.usedBytes() != used || usage.reservedBytes() != reserved || usage.damagedBytes() != 0
          || usage.capacityBytes() != clusters * CLUSTER
          || usage.availableBytes() != usage.capacityBytes() - used - reserved || usage.availableBytes() < 0) {
        throw new AssertionError("%s, but volumes use %d and reserve %d".formatted(usage, used, reserved));
      }
    }

    /** A new volume takes all that is free: each cluster must come, and be zeros. */
    private void checkThatFreeSpaceIsClean(Pool pool) {
      long free = pool.usage().availableBytes();
      if (free == 0) {
        return;
      }
      Volume volume = world.thin(pool, "all", free + CLUSTER);
      Io io = world.io(volume);
      for (long at = 0; at < free; at += CLUSTER) {
        if (!io.write(at, Io.filled(4096, 1)).isOk()) {
          throw new AssertionError("available was " + free + ", only " + at + " could be written");
        }
        byte[] rest = io.read(at + 4096, CLUSTER - 4096);
        for (byte b : rest) {
          if (b != 0) {
            throw new AssertionError("a new cluster shows " + b);
          }
        }
      }
      if (io.write(free, Io.filled(4096, 1)) != Status.NO_SPACE || pool.usage().availableBytes() != 0) {
        throw new AssertionError("there is more space than was available");
      }
      world.closeIo(io);
      world.await(() -> pool.delete(volume));
      checkSpace(pool);
      checkVolumes(pool);
    }
  }
}
