package io.remora.nvme.host;

import static io.remora.nvme.host.ControllerInfo.text;
import static io.remora.nvme.host.ControllerInfo.u16;
import static io.remora.nvme.host.ControllerInfo.u8;

import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;

/**
 * One entry of the discovery log page: a subsystem and a way to it (NVMe-oF 1.1, 5.1). Immutable; what stands in it was said by the
 * other end and is not checked further.
 *
 * @param transport how: RDMA, TCP, or another
 * @param family of the address: 1 IPv4, 2 IPv6
 * @param kind what is there
 * @param portId of the target, to tell its ports apart
 * @param cntlid the controller to connect to; 0xffff: any
 * @param address where, literal
 * @param service the port number, as text
 * @param subsystemNqn what
 */
public record DiscoveryEntry(Transport transport, int family, Kind kind, int portId, int cntlid, String address,
    String service, String subsystemNqn) {
  static final int BYTES = 1024;

  /** Transport types. */
  public enum Transport {
    /** InfiniBand, RoCE or iWARP. */
    RDMA,
    /** NVMe/TCP. */
    TCP,
    /** Any other: Fibre Channel, loop. */
    OTHER
  }

  /** Subsystem types. */
  public enum Kind {
    /** Another discovery subsystem to ask. */
    REFERRAL,
    /** A subsystem with namespaces. */
    NVM,
    /** The discovery subsystem that was asked. */
    CURRENT_DISCOVERY,
    /** Something that this host does not know. */
    OTHER
  }

  /** Where it is; empty when that is no literal address and port of TCP/IP. */
  public Optional<InetSocketAddress> socketAddress() {
    try {
      int port = Integer.parseInt(service);
      return port > 0 && port < 65536
          ? Optional.of(new InetSocketAddress(InetAddress.ofLiteral(address), port))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Reads the entry at {@code at}. */
  static DiscoveryEntry parse(MemorySegment s, long at) {
    Transport transport = switch (u8(s, at)) {
      case 1 -> Transport.RDMA;
      case 3 -> Transport.TCP;
      default -> Transport.OTHER;
    };
    Kind kind = switch (u8(s, at + 2)) {
      case 1 -> Kind.REFERRAL;
      case 2 -> Kind.NVM;
      case 3 -> Kind.CURRENT_DISCOVERY;
      default -> Kind.OTHER;
    };
    return new DiscoveryEntry(transport, u8(s, at + 1), kind, u16(s, at + 4), u16(s, at + 6), text(s, at + 512, 256),
        text(s, at + 32, 32), text(s, at + 256, 256));
  }
}
