package io.remora.cli;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.HostTransport;
import io.remora.nvme.host.HostUri;
import io.remora.nvme.rdma.HostRdma;
import io.remora.nvme.rdma.HostRdmaOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.nvme.tcp.HostTcp;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.util.StringJoiner;

/** What carries the queues of a host. */
final class Transports {
  private Transports() {}

  /**
   * The transport that {@code uri} names.
   *
   * @throws RemoraException NOT_FOUND for a provider that there is not, UNSUPPORTED when no device can be used
   */
  static HostTransport of(HostUri uri) {
    return uri.transport().equals(HostUri.RDMA)
        ? new HostRdma(provider(uri.provider().orElse("")), HostRdmaOptions.of(RegisteredBytes.unlessSaidOtherwise()))
        : new HostTcp();
  }

  /** The provider of that name; of no name the first with a device that can be used. */
  static Provider provider(String name) {
    if (!name.isEmpty()) {
      return Providers.find(name);
    }
    StringJoiner reasons = new StringJoiner("; ");
    for (Provider provider : Providers.all()) {
      String unavailable = provider.unavailable();
      if (unavailable == null && provider.devices().stream().anyMatch(DeviceInfo::usable)) {
        return provider;
      }
      reasons.add(provider.name() + ": " + (unavailable == null ? "no usable device" : unavailable));
    }
    throw new RemoraException(Status.UNSUPPORTED,
        "no RDMA device can be used here (" + reasons + "); see 'remora rdma devices'");
  }
}
