package io.remora.nvme.tcp;

import io.remora.base.Loop;
import io.remora.nvme.host.HostLink;
import io.remora.nvme.host.HostTransport;

/** Connects a host's queues by NVMe/TCP. Stateless. */
public final class HostTcp implements HostTransport {
  @Override
  public String name() {
    return "tcp";
  }

  @Override
  public HostLink connect(Loop loop, Link link, HostLink.Events events) {
    HostTcpLink made = new HostTcpLink(loop, link, events);
    made.open();
    return made;
  }
}
