package io.remora.sim;

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
    world.nowOrAfterAnAnswer(() -> happen(world));
  }

  private static void happen(World world) {
    if (world.node().machine().running()) {
      world.node().kill();
      world.node().startIn(world.random().nextLong(World.SECOND));
    }
  }
}
