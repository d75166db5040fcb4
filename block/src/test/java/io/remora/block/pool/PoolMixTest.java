package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static io.remora.block.pool.PoolWorld.DISK;
import static io.remora.block.pool.PoolWorld.MIB;
import static io.remora.block.pool.PoolWorld.uuid;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.block.Io;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Disks of different sizes and block sizes in one pool, and volumes that together want more than there is. */
class PoolMixTest {
  private static final Path SECOND = Path.of("/pool/1");
  private static final Path THIRD = Path.of("/pool/2");

  private final PoolWorld world = new PoolWorld(81);

  private Pool create(long first, long second) {
    world.machine.disk().file(DISK).blockSize(512);
    world.machine.disk().file(SECOND).blockSize(4096);
    return world.await(() -> Pool.create(world.loop, new PoolConfig("p", uuid(1),
        List.of(new PoolConfig.DiskSpec(DISK, first), new PoolConfig.DiskSpec(SECOND, second)), CLUSTER, false)));
  }

  private Volume volume(Pool pool, String name, long bytes, int blockSize) {
    return world.await(
        () -> pool.createVolume(new VolumeSpec(name, uuid(name.hashCode()), bytes, blockSize, true, Map.of())));
  }

  @Test
  void volumesHaveTheLargestBlockSizeOfTheDisks() {
    Pool pool = create(8L * MIB, 20L * MIB);
    assertThat(volume(pool, "a", 4096 * 100, 0).blockSize()).isEqualTo(4096);
    assertThat(volume(pool, "b", 4096 * 100, 4096).blockSize()).isEqualTo(4096);
    assertThat(world.failure(() -> pool.createVolume(
        new VolumeSpec("c", uuid(3), 4096 * 100, 512, true, Map.of())))).hasMessageContaining("block size 512")
        .hasMessageContaining("from 4096");
    assertThat(world.failure(() -> pool.createVolume(new VolumeSpec("d", uuid(4), 512 * 9, 0, true, Map.of()))))
        .hasMessageContaining("no positive multiple of the block size 4096");
    Io io = world.io(volume(pool, "e", 64L * MIB, 0));
    long at = 0;
    while (io.write(at, Io.filled(4096, 5)).isOk()) {
      at += CLUSTER;
    }
    assertThat(at).isEqualTo(pool.usage().capacityBytes());
    assertThat(at).isGreaterThan(25L * MIB);
    world.powerLoss();
    Pool again = world.open(DISK, SECOND);
    assertThat(again.problems()).isEmpty();
    assertThat(again.usage().usedBytes()).isLessThanOrEqualTo(at);
  }

  @Test
  void diskWithLargerBlocksThanAVolumeIsRefused() {
    world.machine.disk().blockSize(512);
    Pool pool = world.create(8L * MIB);
    Volume small = volume(pool, "small", 512 * 999, 0);
    assertThat(small.blockSize()).isEqualTo(512);
    world.machine.disk().file(SECOND).blockSize(4096);
    assertThat(world.failure(() -> pool.addDisk(new PoolConfig.DiskSpec(SECOND, 8L * MIB), false)))
        .hasMessageContaining("blocks of 4096 bytes").hasMessageContaining("volume small");
    world.await(() -> pool.addDisk(new PoolConfig.DiskSpec(THIRD, 4L * MIB), false));
    world.await(() -> pool.delete(small));
    world.await(() -> pool.addDisk(new PoolConfig.DiskSpec(SECOND, 8L * MIB), false));
    assertThat(volume(pool, "large", MIB, 0).blockSize()).isEqualTo(4096);
    world.await(pool::close);
    assertThat(world.open(DISK, SECOND, THIRD).blockSize()).isEqualTo(4096);
  }

  @Test
  void volumesThatWantTooMuchGetEveryClusterAndNoMore() {
    Pool pool = create(6L * MIB, 9L * MIB);
    long clusters = pool.usage().capacityBytes() / CLUSTER;
    List<Io> volumes = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      volumes.add(world.io(volume(pool, "v" + i, 64L * MIB, 0)));
    }
    long[] got = new long[volumes.size()];
    fill(volumes, got, 1);
    assertThat(sum(got)).isEqualTo(clusters);
    assertThat(pool.usage().availableBytes()).isZero();
    assertThat(pool.failure()).isEmpty();

    // Two give all back while the others go on asking: each cluster comes again, clean, and nobody's data is touched.
    world.await(() -> {
      volumes.get(0).channel().close();
      return pool.delete(pool.volume("v0").orElseThrow());
    });
    assertThat(volumes.get(1).deallocate(0, 64L * MIB)).isEqualTo(Status.OK);
    long freed = got[0] + got[1];
    got[0] = 0;
    got[1] = 0;
    assertThat(pool.usage().availableBytes()).isEqualTo(freed * CLUSTER);
    fill(volumes.subList(1, 6), java.util.Arrays.copyOfRange(got, 1, 6), 2);
    assertThat(pool.usage().availableBytes()).isZero();
    assertThat(pool.usage().usedBytes()).isEqualTo(clusters * CLUSTER);
    for (int i = 2; i < 6; i++) {
      for (long at = 0; at < got[i]; at++) {
        assertThat(volumes.get(i).read(at * CLUSTER, 4096)).containsOnly(1);
        assertThat(volumes.get(i).read(at * CLUSTER + 4096, 4096)).containsOnly(0);
      }
    }
    world.kill();
    assertThat(world.open(DISK, SECOND).usage().usedBytes()).isEqualTo(clusters * CLUSTER);
  }

  /** All volumes at once write the next cluster of theirs, until all are refused. */
  private void fill(List<Io> volumes, long[] got, int value) {
    boolean any = true;
    while (any) {
      List<AtomicReference<@Nullable Status>> ends = new ArrayList<>();
      for (int i = 0; i < volumes.size(); i++) {
        ends.add(volumes.get(i).begin(Op.WRITE, got[i] * CLUSTER, 4096, Io.filled(4096, value), false));
      }
      any = false;
      for (int i = 0; i < volumes.size(); i++) {
        Status status = volumes.get(i).await(ends.get(i));
        assertThat(status).isIn(Status.OK, Status.NO_SPACE);
        got[i] += status.isOk() ? 1 : 0;
        any |= status.isOk();
      }
    }
  }

  private static long sum(long[] numbers) {
    return java.util.Arrays.stream(numbers).sum();
  }
}
