package io.remora.sim;

import io.remora.base.Status;
import io.remora.base.sim.SimFile;
import java.util.List;

/** Makes a disk slow for a while, or some of its operations, or lets it answer nothing at all. */
final class SlowDisk implements Enemy {
  private static final long MAX_NS = 10 * World.SECOND;
  private static final int MAX_FACTOR_BITS = 14;
  private static final double STRAGGLERS = 0.1;
  private static final long MAX_STRAGGLER_NS = 2 * World.SECOND;

  @Override
  public String name() {
    return "slow disk";
  }

  @Override
  public long meanPauseNs() {
    return 500_000_000L;
  }

  @Override
  public void strike(World world) {
    List<SimFile> files = world.node().files();
    SimFile file = files.get(world.random().nextInt(files.size()));
    // What takes longer than a host waits is aborted.
    world.mayFail(Status.TIMED_OUT);
    switch (world.random().nextInt(4)) {
      case 0 -> {
        world.trace().add("disk", "%s hangs", file.path());
        file.hang(true);
      }
      case 1 -> {
        int factor = 1 << world.random().nextInt(MAX_FACTOR_BITS);
        world.trace().add("disk", "%s is %d times slower", file.path(), factor);
        file.slow(factor);
      }
      default -> {
        world.trace().add("disk", "%s takes very long now and then", file.path());
        file.straggle(STRAGGLERS, MAX_STRAGGLER_NS);
      }
    }
    world.schedule(world.random().nextLong(MAX_NS), () -> {
      world.trace().add("disk", "%s is as fast as ever", file.path());
      file.hang(false);
      file.slow(1);
      file.straggle(0, 1);
    });
  }
}
