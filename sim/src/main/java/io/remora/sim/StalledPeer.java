package io.remora.sim;

import io.remora.base.Status;
import io.remora.base.sim.SimMachine;

/** Stops the node's process or a host's for a while, as SIGSTOP does or a machine that swaps. */
final class StalledPeer implements Enemy {
  private static final long MAX_NS = 10 * World.SECOND;

  @Override
  public String name() {
    return "stalled peer";
  }

  @Override
  public long meanPauseNs() {
    return World.SECOND;
  }

  @Override
  public void strike(World world) {
    int which = world.random().nextInt(world.hosts().size() + 1);
    SimMachine machine = which < world.hosts().size() ? world.hosts().get(which) : world.node().machine();
    world.mayFail(Status.TIMED_OUT);
    world.trace().add(machine.name(), "stalls");
    machine.pause();
    world.schedule(world.random().nextLong(MAX_NS), () -> {
      world.trace().add(machine.name(), "goes on");
      machine.resume();
    });
  }
}
