package io.remora.verbs.sim;

import io.remora.base.Loop;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Capability;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.soft.SoftContext;
import io.remora.verbs.soft.SoftProtectionDomain;
import io.remora.verbs.soft.SoftQueuePair;
import java.net.InetSocketAddress;
import java.util.EnumSet;

/** The simulated device, open on one loop. */
final class SimContext extends SoftContext {
  static final int MAX_DATAGRAM_BYTES = 4096;
  static final int MAX_PRIVATE_DATA_BYTES = 196;
  static final int MAX_READS = 128;

  private final SimFabric fabric;
  private final SimProvider provider;
  private final SimConnectionManager connections;

  SimContext(SimFabric fabric, SimProvider provider, Loop loop) {
    super(loop, attributes(provider.name()));
    this.fabric = fabric;
    this.provider = provider;
    this.connections = new SimConnectionManager(this);
  }

  private static DeviceAttributes attributes(String provider) {
    return new DeviceAttributes(provider, SimProvider.DEVICE,
        EnumSet.complementOf(EnumSet.of(Capability.SHARED_MEMORY)), 1 << 16, 1 << 14, 32, 32, 1024, 1 << 20, 1 << 20,
        MAX_READS, 1 << 30, MAX_DATAGRAM_BYTES, MAX_PRIVATE_DATA_BYTES);
  }

  SimFabric fabric() {
    return fabric;
  }

  /** The device is gone, for good as far as this context goes. */
  void fail() {
    String text = "the device has been taken out";
    fabric.fail(this, text);
    raise(new AsyncEvent(AsyncEvent.Kind.DEVICE_FATAL, null, SimProvider.DEVICE + ": " + text));
  }

  @Override
  protected void onClosed() {
    provider.closed(this);
  }

  @Override
  public ConnectionManager connectionManager() {
    return connections;
  }

  @Override
  protected SoftQueuePair newQueuePair(SoftProtectionDomain domain, QueuePairConfig config) {
    return new SimQueuePair(this, domain, config);
  }

  @Override
  protected AddressHandle newAddressHandle(SoftProtectionDomain domain, InetSocketAddress destination) {
    return new SimAddressHandle(destination);
  }

  /** Numbers are all that leads anywhere here. */
  record SimAddressHandle(InetSocketAddress destination) implements AddressHandle {
    @Override
    public void close() {}
  }
}
