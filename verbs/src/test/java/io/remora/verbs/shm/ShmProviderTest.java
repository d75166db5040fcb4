package io.remora.verbs.shm;

import io.remora.verbs.tck.ConnectionTck;
import io.remora.verbs.tck.DatagramTck;
import io.remora.verbs.tck.Fabric;
import io.remora.verbs.tck.ProtectionTck;
import io.remora.verbs.tck.QueueTck;
import io.remora.verbs.tck.RealFabric;
import io.remora.verbs.tck.TransferTck;

/** The conformance kit, with both ends in this process. */
class ShmProviderTest implements TransferTck, ProtectionTck, QueueTck, ConnectionTck, DatagramTck {
  @Override
  public Fabric open() {
    return RealFabric.local(new ShmProvider(), ShmProvider.DEVICE);
  }
}
