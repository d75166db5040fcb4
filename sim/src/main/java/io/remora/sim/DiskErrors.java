package io.remora.sim;

import io.remora.base.Status;
import io.remora.base.sim.SimFile;
import java.util.List;
import java.util.random.RandomGenerator;

/** Lets operations of a disk fail for a while: some of any kind, those of a range, or flushes. Data and metadata alike. */
final class DiskErrors implements Enemy {
  private static final long MAX_NS = 2 * World.SECOND;

  @Override
  public String name() {
    return "disk errors";
  }

  @Override
  public long meanPauseNs() {
    return World.SECOND;
  }

  @Override
  public void strike(World world) {
    RandomGenerator random = world.random();
    List<SimFile> files = world.node().files();
    SimFile file = files.get(random.nextInt(files.size()));
    world.diskTrouble(Status.MEDIUM_ERROR, Status.READ_ONLY, Status.CORRUPT, Status.ABORTED);
    long offset = random.nextLong(file.sizeBytes());
    long length = 512L << random.nextInt(10);
    switch (random.nextInt(4)) {
      case 0 -> file.errorRate(random.nextDouble() / 8);
      case 1 -> file.failReads(offset, length);
      case 2 -> file.failWrites(offset, length);
      default -> file.failFlushes(true);
    }
    world.trace().add("disk", "%s fails now and then", file.path());
    world.schedule(random.nextLong(MAX_NS), () -> {
      if (world.troubled()) {
        world.trace().add("disk", "%s is well again", file.path());
        file.heal();
        world.replace();
      }
    });
  }
}
