package io.remora.verbs.ibverbs;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** {@code struct sockaddr_in} and {@code sockaddr_in6}. */
final class SocketAddress {
  /** Room for either, in bytes. */
  static final int BYTES = 28;

  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int PORT = 2;
  private static final int ADDRESS_IPV4 = 4;
  private static final int ADDRESS_IPV6 = 8;
  private static final int SCOPE = 24;

  private SocketAddress() {}

  /** Writes {@code address}, a literal, to {@link #BYTES} bytes at {@code target}. */
  static void write(InetSocketAddress address, long target) {
    InetAddress host = address.getAddress();
    if (host == null) {
      throw new RemoraException(Status.INVALID, address + ": not a literal address");
    }
    Memory.zero(target, BYTES);
    boolean six = host instanceof Inet6Address;
    Memory.putShort(target, six ? AF_INET6 : AF_INET);
    Memory.putByte(target + PORT, address.getPort() >>> 8);
    Memory.putByte(target + PORT + 1, address.getPort());
    byte[] bytes = host.getAddress();
    for (int i = 0; i < bytes.length; i++) {
      Memory.putByte(target + (six ? ADDRESS_IPV6 : ADDRESS_IPV4) + i, bytes[i]);
    }
    if (host instanceof Inet6Address scoped) {
      Memory.putInt(target + SCOPE, scoped.getScopeId());
    }
  }

  /** The address at {@code source}; the unspecified one when there is none. */
  static InetSocketAddress read(long source) {
    int family = Memory.getUnsignedShort(source);
    boolean six = family == AF_INET6;
    int port = Memory.getUnsignedByte(source + PORT) << 8 | Memory.getUnsignedByte(source + PORT + 1);
    if (!six && family != AF_INET) {
      return new InetSocketAddress(0);
    }
    byte[] bytes = Memory.bytes(source + (six ? ADDRESS_IPV6 : ADDRESS_IPV4), six ? 16 : 4);
    try {
      int scope = six ? Memory.getInt(source + SCOPE) : 0;
      return new InetSocketAddress(
          scope > 0 ? Inet6Address.getByAddress(null, bytes, scope) : InetAddress.getByAddress(bytes), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of 4 or 16 bytes is refused", e);
    }
  }
}
