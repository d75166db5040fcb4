package io.remora.cli;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostTransport;
import io.remora.nvme.host.HostUri;
import io.remora.nvme.multipath.MultipathDevice;
import io.remora.nvme.multipath.MultipathOptions;
import io.remora.nvme.multipath.MultipathUri;
import io.remora.nvme.multipath.PathDiscovery;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Our host, connected to one namespace by several paths. For a thread that may block. */
final class MultipathSession implements AutoCloseable {
  private final MultipathDevice device;
  private final @Nullable PathDiscovery discovery;

  private MultipathSession(MultipathDevice device, @Nullable PathDiscovery discovery) {
    this.device = device;
    this.discovery = discovery;
  }

  /** Connects as {@code uri} says; {@code host}: the options of each path. */
  static MultipathSession connect(List<Loop> loops, HostUri uri, HostOptions host) {
    HostTransport transport = Transports.of(uri);
    MultipathOptions options = MultipathUri.options(uri, host).withLocal(MultipathSession::onThisMachine);
    List<InetSocketAddress> addresses = uri.addresses().stream().map(OpenDevices::resolve).toList();
    if (!MultipathUri.discovers(uri)) {
      return new MultipathSession(open(transport, loops, options, addresses), null);
    }
    Set<InetSocketAddress> found = Futures
        .join(PathDiscovery.find(transport, loops.getFirst(), host, addresses));
    MultipathDevice device = open(transport, loops, options, found);
    return new MultipathSession(device, PathDiscovery.follow(transport, device, found, addresses));
  }

  private static MultipathDevice open(HostTransport transport, List<Loop> loops, MultipathOptions options,
      Collection<InetSocketAddress> addresses) {
    return Futures.join(MultipathDevice.open(transport, loops, options, addresses));
  }

  private static boolean onThisMachine(InetSocketAddress address) {
    try {
      return NetworkInterface.getByInetAddress(address.getAddress()) != null;
    } catch (SocketException e) {
      throw new RemoraException(Status.INTERNAL, "cannot list this machine's addresses: " + e.getMessage(), e);
    }
  }

  /** The namespace as a device. */
  MultipathDevice device() {
    return device;
  }

  @Override
  public void close() {
    PathDiscovery follows = discovery;
    if (follows != null) {
      Futures.join(follows.close());
    }
    Futures.join(device.close());
  }
}
