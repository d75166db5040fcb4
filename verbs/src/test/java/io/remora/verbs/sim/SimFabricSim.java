package io.remora.verbs.sim;

import io.remora.verbs.tck.ConnectionTck;
import io.remora.verbs.tck.DatagramTck;
import io.remora.verbs.tck.Fabric;
import io.remora.verbs.tck.ProtectionTck;
import io.remora.verbs.tck.QueueTck;
import io.remora.verbs.tck.SimulatedFabric;
import io.remora.verbs.tck.TransferTck;

/** The simulated device on simulated loops, where messages of different connections overtake each other. */
class SimFabricSim implements TransferTck, ProtectionTck, QueueTck, ConnectionTck, DatagramTck {
  private static final long SEED = Long.getLong("remora.seed", 7);

  @Override
  public Fabric open() {
    SimFabric fabric = new SimFabric();
    fabric.delay(0, 200_000);
    return new SimulatedFabric(fabric.provider(), "sim0", SEED);
  }

  @Override
  public int manyConnections() {
    return 200;
  }
}
