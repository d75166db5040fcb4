package io.remora.sim;

/** Stops the node in order, as SIGTERM does, and starts it again. */
final class OrderlyRestart implements Enemy {
  @Override
  public String name() {
    return "restart";
  }

  @Override
  public long meanPauseNs() {
    return World.SECOND;
  }

  @Override
  public void strike(World world) {
    world.node().stop(() -> world.node().startIn(world.random().nextLong(World.SECOND)));
  }
}
