package io.remora.nvme.target;

import java.net.Inet6Address;
import java.net.InetSocketAddress;

/**
 * Where a target listens, as the discovery log tells it (NVMe-oF 1.1, 5.3).
 *
 * @param id the port's number, unique in the target
 * @param transport how it is spoken to
 * @param address the address; when it is the wildcard, hosts are told the address at which they asked
 * @param fabric under RDMA
 */
public record Port(int id, TransportType transport, InetSocketAddress address, RdmaFabric fabric) {
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

  /** What RDMA is spoken over, with the values of RDMA_PRTYPE. */
  public enum RdmaFabric {
    /** None that the log has a name for, or none at all. */
    OTHER(1),
    /** InfiniBand. */
    INFINIBAND(2),
    /** RoCE version 2. */
    ROCE_2(4),
    /** iWARP. */
    IWARP(5);

    final int code;

    RdmaFabric(int code) {
      this.code = code;
    }
  }

  /** One that is spoken to by TCP. */
  public static Port tcp(int id, InetSocketAddress address) {
    return new Port(id, TransportType.TCP, address, RdmaFabric.OTHER);
  }

  /** One that is spoken to by RDMA. */
  public static Port rdma(int id, InetSocketAddress address, RdmaFabric fabric) {
    return new Port(id, TransportType.RDMA, address, fabric);
  }

  /** What a host that asked at {@code asked} is told. */
  InetSocketAddress advertised(InetSocketAddress asked) {
    boolean sameFamily = asked.getAddress() instanceof Inet6Address == address.getAddress() instanceof Inet6Address;
    return address.getAddress().isAnyLocalAddress() && sameFamily
        ? new InetSocketAddress(asked.getAddress(), address.getPort())
        : address;
  }
}
