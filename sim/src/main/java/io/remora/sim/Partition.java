package io.remora.sim;

import io.remora.base.sim.SimMachine;
import io.remora.base.sim.SimNet;

/** Cuts the network between the node and a host, both ways or one way. */
final class Partition implements Enemy {
  private static final long MAX_NS = 8 * World.SECOND;

  @Override
  public String name() {
    return "partition";
  }

  @Override
  public long meanPauseNs() {
    return World.SECOND;
  }

  @Override
  public void strike(World world) {
    SimMachine host = world.hosts().get(world.random().nextInt(world.hosts().size()));
    SimMachine node = world.node().machine();
    SimNet net = world.simulation().net();
    switch (world.random().nextInt(3)) {
      case 0 -> net.cut(host, node);
      case 1 -> net.cut(node, host);
      default -> net.partition(host, node);
    }
    world.trace().add("net", "%s is cut off, in one direction or both", host);
    world.schedule(world.random().nextLong(MAX_NS), () -> {
      world.trace().add("net", "%s is back", host);
      net.heal(host, node);
    });
  }
}
