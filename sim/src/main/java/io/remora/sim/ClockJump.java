package io.remora.sim;

import io.remora.base.sim.SimMachine;

/** Sets wall clocks, by up to a year either way. */
final class ClockJump implements Enemy {
  private static final long YEAR_MS = 365L * 86_400_000L;

  @Override
  public String name() {
    return "clock jump";
  }

  @Override
  public long meanPauseNs() {
    return 100_000_000L;
  }

  @Override
  public void strike(World world) {
    int which = world.random().nextInt(world.hosts().size() + 1);
    SimMachine machine = which < world.hosts().size() ? world.hosts().get(which) : world.node().machine();
    long deltaMs = world.random().nextLong(-YEAR_MS, YEAR_MS);
    world.trace().add(machine.name(), "the wall clock jumps by %d s", deltaMs / 1000);
    machine.jumpWallClock(deltaMs);
  }
}
