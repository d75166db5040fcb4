package io.remora.sim;

import io.remora.base.IoRequest.Op;

/** Ends the node's process without warning, as SIGKILL does; it is started again soon. */
final class ProcessKill implements Enemy {
  @Override
  public String name() {
    return "kill";
  }

  @Override
  public long meanPauseNs() {
    return 300_000_000L;
  }

  @Override
  public void strike(World world) {
    switch (world.random().nextInt(4)) {
      case 0 -> world.ambush(Op.FLUSH, () -> happen(world));
      case 1, 2 -> world.ambush(Op.WRITE, () -> happen(world));
      default -> happen(world);
    }
  }

  private static void happen(World world) {
    if (world.node().machine().running()) {
      world.node().kill();
      world.node().startIn(world.random().nextLong(World.SECOND));
    }
  }
}
