package io.remora.nvme.target;

import java.net.Inet6Address;
import java.net.InetSocketAddress;

/**
 * Where a target listens, as the discovery log tells it (NVMe-oF 1.1, 5.3).
 *
 * @param id the port's number, unique in the target
 * @param transport how it is spoken to
 * @param address the address; when it is the wildcard, hosts are told the address at which they asked
 */
public record Port(int id, TransportType transport, InetSocketAddress address) {
  /** The transports, with their values of TRTYPE. */
  public enum TransportType {
    /** RDMA. */
    RDMA(1),
    /** TCP. */
    TCP(3);

    final int code;

    TransportType(int code) {
      this.code = code;
    }
  }

  /** What a host that asked at {@code asked} is told. */
  InetSocketAddress advertised(InetSocketAddress asked) {
    boolean sameFamily = asked.getAddress() instanceof Inet6Address == address.getAddress() instanceof Inet6Address;
    return address.getAddress().isAnyLocalAddress() && sameFamily
        ? new InetSocketAddress(asked.getAddress(), address.getPort())
        : address;
  }
}
