package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.remora.base.DatagramSocket;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Reads and writes {@code struct sockaddr_in} and {@code sockaddr_in6}. */
final class SocketAddresses {
  static final int BYTES = 28;
  private static final int IPV4_BYTES = 16;

  private SocketAddresses() {}

  static int family(InetSocketAddress address) {
    return resolved(address) instanceof Inet6Address ? Abi.AF_INET6 : Abi.AF_INET;
  }

  /** Writes {@code address} and returns the length of the structure. */
  static int write(InetSocketAddress address, MemorySegment target) {
    InetAddress host = resolved(address);
    byte[] bytes = host.getAddress();
    target.fill((byte) 0);
    target.set(JAVA_SHORT, 0, (short) family(address));
    writePort(target, address.getPort());
    if (host instanceof Inet6Address six) {
      MemorySegment.copy(bytes, 0, target, JAVA_BYTE, 8, 16);
      target.set(JAVA_INT, 24, six.getScopeId());
      return BYTES;
    }
    MemorySegment.copy(bytes, 0, target, JAVA_BYTE, 4, 4);
    return IPV4_BYTES;
  }

  static InetSocketAddress read(MemorySegment source) {
    boolean six = source.get(JAVA_SHORT, 0) == Abi.AF_INET6;
    byte[] bytes = new byte[six ? 16 : 4];
    MemorySegment.copy(source, JAVA_BYTE, six ? 8 : 4, bytes, 0, bytes.length);
    try {
      int scope = six ? source.get(JAVA_INT, 24) : 0;
      InetAddress host = scope > 0 ? Inet6Address.getByAddress(null, bytes, scope) : InetAddress.getByAddress(bytes);
      return new InetSocketAddress(host, readPort(source));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of 4 or 16 bytes is refused", e);
    }
  }

  /** Writes {@code peer} for a socket of {@code family}; 0 when the one cannot reach the other. */
  static int writePeer(DatagramSocket.Peer peer, int family, MemorySegment target) {
    target.fill((byte) 0);
    target.set(JAVA_SHORT, 0, (short) family);
    writePort(target, peer.port);
    if (family == Abi.AF_INET) {
      MemorySegment.copy(peer.address, 0, target, JAVA_BYTE, 4, 4);
      return peer.addressBytes == 4 ? IPV4_BYTES : 0;
    }
    if (peer.addressBytes == 4) {
      // ::ffff:a.b.c.d
      target.set(JAVA_SHORT, 18, (short) -1);
      MemorySegment.copy(peer.address, 0, target, JAVA_BYTE, 20, 4);
      return BYTES;
    }
    MemorySegment.copy(peer.address, 0, target, JAVA_BYTE, 8, 16);
    return peer.addressBytes == 16 ? BYTES : 0;
  }

  static void readPeer(MemorySegment source, DatagramSocket.Peer peer) {
    boolean six = source.get(JAVA_SHORT, 0) == Abi.AF_INET6;
    boolean mapped = six && source.get(JAVA_INT, 8) == 0 && source.get(JAVA_INT, 12) == 0
        && source.get(JAVA_INT, 16) == 0xffff0000;
    peer.addressBytes = six && !mapped ? 16 : 4;
    MemorySegment.copy(source, JAVA_BYTE, six ? mapped ? 20 : 8 : 4, peer.address, 0, peer.addressBytes);
    peer.port = readPort(source);
  }

  private static InetAddress resolved(InetSocketAddress address) {
    InetAddress host = address.getAddress();
    if (host == null) {
      throw new RemoraException(Status.INVALID, address + ": not a literal address");
    }
    return host;
  }

  private static void writePort(MemorySegment target, int port) {
    target.set(JAVA_BYTE, 2, (byte) (port >>> 8));
    target.set(JAVA_BYTE, 3, (byte) port);
  }

  private static int readPort(MemorySegment source) {
    return (source.get(JAVA_BYTE, 2) & 0xff) << 8 | (source.get(JAVA_BYTE, 3) & 0xff);
  }
}
