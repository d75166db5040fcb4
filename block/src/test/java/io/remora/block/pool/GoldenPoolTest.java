package io.remora.block.pool;

import static io.remora.block.pool.PoolWorld.CLUSTER;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.block.Io;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/**
 * Images of pools in each version of the format: what was written then reads the same for ever. {@code -Dremora.golden=FOLDER}
 * writes the image of the present version there; an image that is in the sources is never replaced.
 */
class GoldenPoolTest {
  private static final List<Path> DISKS = List.of(Path.of("/pool/0"), Path.of("/pool/1"));
  private static final long DISK_BYTES = 3 << 20;

  private final PoolWorld world = new PoolWorld(51);

  @Test
  void version1() throws IOException {
    for (int i = 0; i < DISKS.size(); i++) {
      Path path = DISKS.get(i);
      byte[] image = resource("/pool/version-1-disk-" + i + ".img.gz");
      world.loop.run(() -> world.loop.disk().store(path, image));
    }
    Pool pool = world.open(DISKS.toArray(Path[]::new));
    assertThat(pool.problems()).isEmpty();
    assertThat(pool.name()).isEqualTo("gölden");
    assertThat(pool.uuid()).isEqualTo(PoolWorld.uuid(0x60));
    assertThat(pool.clusterBytes()).isEqualTo(CLUSTER);
    assertThat(pool.volumes()).extracting(Volume::name).containsExactlyInAnyOrder("thin", "thick", "empty");
    Volume thin = pool.volume("thin").orElseThrow();
    assertThat(thin.uuid()).isEqualTo(PoolWorld.uuid(0x61));
    assertThat(thin.thin()).isTrue();
    assertThat(thin.sizeBytes()).isEqualTo(1L << 40);
    assertThat(thin.properties()).isEqualTo(Map.of("owner", "nobody", "tier", "3"));
    assertThat(thin.createdMs()).isGreaterThan(1_767_225_600_000L);
    Volume thick = pool.volume("thick").orElseThrow();
    assertThat(thick.thin()).isFalse();
    assertThat(thick.sizeBytes()).isEqualTo(5L * CLUSTER + 4096);
    assertThat(pool.usage(thick).reservedBytes()).isEqualTo(5L * CLUSTER);
    assertThat(pool.usage(thin).usedBytes()).isEqualTo(4L * CLUSTER);
    assertThat(pool.usage().capacityBytes()).isEqualTo(74L * CLUSTER);
    Io io = world.io(thin);
    assertThat(io.read(4096, CLUSTER)).containsOnly(0x11);
    assertThat(io.read(CLUSTER + 4096, CLUSTER)).containsOnly(0);
    assertThat(io.read((1L << 40) - CLUSTER, CLUSTER)).containsOnly(0x22);
    assertThat(world.io(thick).read(5L * CLUSTER, 4096)).containsOnly(0x33);
    assertThat(world.io(thick).read(0, 5 * CLUSTER)).containsOnly(0);
    // It can be worked with as well.
    assertThat(io.write(0, Io.filled(CLUSTER, 0x44))).isEqualTo(Status.OK);
    assertThat(io.flush()).isEqualTo(Status.OK);
  }

  @Test
  void thePresentVersionCanBeMade() throws IOException {
    make();
    String folder = System.getProperty("remora.golden");
    for (int i = 0; i < DISKS.size() && folder != null; i++) {
      byte[] image = world.machine.disk().file(DISKS.get(i)).read(0,
          (int) world.machine.disk().file(DISKS.get(i)).sizeBytes());
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
        gzip.write(image);
      }
      Files.write(Path.of(folder, "version-" + Layout.VERSION + "-disk-" + i + ".img.gz"), bytes.toByteArray());
    }
    assertThat(world.open(DISKS.toArray(Path[]::new)).problems()).isEmpty();
  }

  /** A bit of everything: two disks, a grown one, deleted volumes and clusters, a shrunk volume, properties. */
  private void make() {
    Pool pool = world.await(() -> Pool.create(world.loop, new PoolConfig("gölden", PoolWorld.uuid(0x60),
        DISKS.stream().map(path -> new PoolConfig.DiskSpec(path, DISK_BYTES)).toList(), CLUSTER, false)));
    Volume gone = world.thin(pool, "gone", 1 << 20);
    Volume thin = world.await(() -> pool.createVolume(
        new VolumeSpec("thin", PoolWorld.uuid(0x61), 1L << 40, 4096, true, Map.of("owner", "nobody", "tier", "3"))));
    Volume thick = world.thick(pool, "thick", 9L * CLUSTER);
    world.thin(pool, "empty", 1 << 20);
    Io io = world.io(gone);
    assertThat(io.write(0, Io.filled(3 * CLUSTER, 0x99))).isEqualTo(Status.OK);
    world.closeIo(io);
    Io thinIo = world.io(thin);
    assertThat(thinIo.write(4096, Io.filled(CLUSTER, 0x11))).isEqualTo(Status.OK);
    assertThat(thinIo.write((1L << 40) - CLUSTER, Io.filled(CLUSTER, 0x22))).isEqualTo(Status.OK);
    assertThat(thinIo.write(7L * CLUSTER, Io.filled(3 * CLUSTER, 0x55))).isEqualTo(Status.OK);
    assertThat(thinIo.deallocate(7L * CLUSTER, 2L * CLUSTER)).isEqualTo(Status.OK);
    Io thickIo = world.io(thick);
    assertThat(thickIo.write(5L * CLUSTER, Io.filled(3 * CLUSTER, 0x33))).isEqualTo(Status.OK);
    assertThat(thickIo.deallocate(0, CLUSTER)).isEqualTo(Status.OK);
    world.await(() -> pool.resize(thick, 5L * CLUSTER + 4096));
    world.await(() -> pool.delete(gone));
    world.await(() -> pool.grow(DISKS.getLast(), DISK_BYTES + (1 << 20)));
    world.settle();
    world.await(pool::close);
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = Objects.requireNonNull(GoldenPoolTest.class.getResourceAsStream(name), name)) {
      return new GZIPInputStream(new ByteArrayInputStream(in.readAllBytes())).readAllBytes();
    }
  }
}
