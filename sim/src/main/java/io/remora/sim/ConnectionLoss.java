package io.remora.sim;

import io.remora.base.Status;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.SimNet;

/** Resets the connections of a host: now, or each new one after any number of bytes. */
final class ConnectionLoss implements Enemy {
  private static final int MAX_BYTES_BITS = 19;

  @Override
  public String name() {
    return "connection loss";
  }

  @Override
  public long meanPauseNs() {
    return 200_000_000L;
  }

  @Override
  public void strike(World world) {
    SimMachine host = world.hosts().get(world.random().nextInt(world.hosts().size()));
    SimMachine node = world.node().machine();
    SimNet net = world.simulation().net();
    // A request that loses one connection after the other is given up.
    world.mayFail(Status.DISCONNECTED);
    if (world.random().nextInt(3) > 0) {
      long bytes = world.random().nextInt(1 << world.random().nextInt(MAX_BYTES_BITS));
      world.trace().add("net", "the next connection of %s breaks after %d bytes", host, bytes);
      net.breakNextConnection(host, node, bytes);
    }
    world.trace().add("net", "connections of %s are reset", host);
    net.reset(host, node);
  }

  @Override
  public void leave(World world) {
    world.simulation().net().breakNoConnection();
  }
}
