package io.remora.nvme.tcp;

import io.remora.base.Loop;
import io.remora.nvme.host.DiscoveryEntry;
import io.remora.nvme.host.HostLink;
import io.remora.nvme.host.HostTransport;

/** Connects a host's queues by NVMe/TCP. Stateless. */
public final class HostTcp implements HostTransport {
  @Override
  public String name() {
    return "tcp";
  }

  /** NVMe/TCP 1.0, 3.3.2. */
  @Override
  public int adminCapsuleBytes() {
    return 8192;
  }

  @Override
  public DiscoveryEntry.Transport type() {
    return DiscoveryEntry.Transport.TCP;
  }

  @Override
  public HostLink connect(Loop loop, Link link, HostLink.Events events) {
    HostTcpLink made = new HostTcpLink(loop, link, events);
    made.open();
    return made;
  }
}
