package io.remora.verbs.sim;

import io.remora.verbs.tck.ConnectionTck;
import io.remora.verbs.tck.DatagramTck;
import io.remora.verbs.tck.Fabric;
import io.remora.verbs.tck.ProtectionTck;
import io.remora.verbs.tck.QueueTck;
import io.remora.verbs.tck.RealFabric;
import io.remora.verbs.tck.TransferTck;

/** The simulated device, on real loops. */
class SimProviderTest implements TransferTck, ProtectionTck, QueueTck, ConnectionTck, DatagramTck {
  @Override
  public Fabric open() {
    return RealFabric.local(new SimFabric().provider(), "sim0");
  }
}
