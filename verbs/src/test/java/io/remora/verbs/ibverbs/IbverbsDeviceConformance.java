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
import java.util.stream.Stream;
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
    DeviceInfo device = device(provider);
    return new RealFabric(provider, device.name(), address(device), SECONDS);
  }

  /** The first that can be used and has an IPv4 address. */
  static DeviceInfo device(IbverbsProvider provider) {
    List<DeviceInfo> devices = provider.devices();
    return devices.stream().filter(device -> device.usable() && addresses(device).findAny().isPresent()).findFirst()
        .orElseThrow(() -> new TestAbortedException("no device can be used: " + devices));
  }

  /** Its IPv4 address. */
  static InetAddress address(DeviceInfo device) {
    return addresses(device).findFirst().orElseThrow();
  }

  private static Stream<InetAddress> addresses(DeviceInfo device) {
    return device.addresses().stream().filter(Inet4Address.class::isInstance);
  }
}
