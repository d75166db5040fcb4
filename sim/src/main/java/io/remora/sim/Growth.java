package io.remora.sim;

import io.remora.base.Status;
import io.remora.engine.DiskChoice;
import java.nio.file.Path;
import java.util.List;
import java.util.random.RandomGenerator;

/** Makes volumes and the pool's disks larger while they are in use. */
final class Growth implements Enemy {
  private static final long MOST_BYTES = 3L << 20;
  private static final int MOST_CLUSTERS = 80;

  @Override
  public String name() {
    return "growth";
  }

  @Override
  public long meanPauseNs() {
    return 200_000_000L;
  }

  @Override
  public void strike(World world) {
    if (!world.node().up()) {
      return;
    }
    RandomGenerator random = world.random();
    if (random.nextInt(3) == 0) {
      growDisk(world, random);
      return;
    }
    Client client = world.clients().get(random.nextInt(world.clients().size()));
    String name = client.name();
    long size = world.node().sizeOf(name) + (1 + random.nextInt(40)) * 4096L;
    if (size > MOST_BYTES) {
      return;
    }
    world.catalog().begin(name, size);
    world.node().command("resize " + name + " to " + size, node -> node.resizeVolume(name, size),
        _ -> world.catalog().done(name, size), failure -> {
          // Another one that was larger may have been before this one.
          if (failure.status() != Status.NO_SPACE && failure.status() != Status.INVALID) {
            world.refused(failure);
          }
        });
  }

  private void growDisk(World world, RandomGenerator random) {
    List<Path> disks = world.node().disks();
    Path path = disks.get(random.nextInt(disks.size()));
    long size = world.node().machine().disk().file(path).sizeBytes()
        + (5L + random.nextInt(8)) * world.shape().clusterBytes();
    if (size < world.shape().diskBytes() + (long) MOST_CLUSTERS * world.shape().clusterBytes()) {
      world.node().command("grow " + path + " to " + size,
          node -> node.growPool(NodeProcess.POOL, List.of(new DiskChoice(path, size))), _ -> {},
          failure -> {
            // A larger one may have been before this one.
            if (failure.status() != Status.INVALID) {
              world.refused(failure);
            }
          });
    }
  }
}
