package io.remora.cli;

import io.remora.base.Addresses;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostNamespace;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostTransport;
import java.util.List;
import java.util.Optional;

/** Our host, connected to one namespace over NVMe/TCP or NVMe/RDMA. For a thread that may block. */
final class HostSession implements AutoCloseable {
  private final HostController controller;
  private final HostNamespace namespace;

  private HostSession(HostController controller, HostNamespace namespace) {
    this.controller = controller;
    this.namespace = namespace;
  }

  /** Connects; {@code nsid} empty: the only namespace, or the first one. */
  static HostSession connect(HostTransport transport, List<Loop> loops, HostOptions options, Optional<Integer> nsid) {
    HostController controller = Futures.join(HostController.connect(transport, loops, options));
    List<HostNamespace> namespaces = controller.namespaces().stream()
        .filter(namespace -> nsid.isEmpty() || namespace.nsid() == nsid.get()).toList();
    if (namespaces.isEmpty()) {
      Futures.join(controller.close());
      throw new RemoraException(Status.NOT_FOUND, options.subsystemNqn() + " at " + Addresses.format(options.address())
          + " has no namespace" + nsid.map(id -> " " + id).orElse(""));
    }
    return new HostSession(controller, namespaces.getFirst());
  }

  /** The namespace as a device. */
  HostNamespace device() {
    return namespace;
  }

  @Override
  public void close() {
    Futures.join(controller.close());
  }
}
