package io.remora.sim;

import io.remora.base.sim.PowerLoss;

/** Takes the power from the node's machine: what no flush covers is lost, kept, torn, in any order. */
final class PowerCut implements Enemy {
  @Override
  public String name() {
    return "power loss";
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
      PowerLoss[] ways = PowerLoss.values();
      world.node().losePower(ways[world.random().nextInt(ways.length)]);
      world.node().startIn(world.random().nextLong(2 * World.SECOND));
    }
  }
}
