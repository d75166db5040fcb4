package io.remora.verbs.ibverbs;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.remora.verbs.DeviceInfo;
import io.remora.verbs.tck.ConnectionTck;
import io.remora.verbs.tck.DatagramTck;
import io.remora.verbs.tck.Fabric;
import io.remora.verbs.tck.ProtectionTck;
import io.remora.verbs.tck.QueueTck;
import io.remora.verbs.tck.RealFabric;
import io.remora.verbs.tck.TransferTck;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.List;
import org.opentest4j.TestAbortedException;

/** The conformance kit on the first device of this machine that can be used and has an IPv4 address: run by name in the guest ({@code IbverbsPeer}), where there is one. */
class IbverbsDeviceConformance implements TransferTck, ConnectionTck, DatagramTck, ProtectionTck, QueueTck {
  private static final int SECONDS = 60;

  @Override
  public int manyConnections() {
    return Integer.getInteger("remora.test.connections", 20);
  }

  @Override
  public Fabric open() {
    IbverbsProvider provider = new IbverbsProvider();
    String unavailable = provider.unavailable();
    assumeTrue(unavailable == null, unavailable);
    List<DeviceInfo> devices = provider.devices();
    for (DeviceInfo device : devices) {
      InetAddress address = device.addresses().stream().filter(Inet4Address.class::isInstance).findFirst().orElse(null);
      if (device.usable() && address != null) {
        return new RealFabric(provider, device.name(), address, SECONDS);
      }
    }
    throw new TestAbortedException("no device can be used: " + devices);
  }
}
