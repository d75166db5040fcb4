package io.remora.base;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Reads and writes {@code ADDR:PORT}. Literals only: names are resolved at the edges of the program. */
public final class Addresses {
  private Addresses() {}

  /**
   * Parses {@code 192.0.2.1:4420} or {@code [2001:db8::1]:4420}.
   *
   * @throws RemoraException {@link Status#INVALID} with the text and what was expected
   */
  public static InetSocketAddress parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      throw new RemoraException(Status.INVALID, "'" + text + "' is not ADDR:PORT, for example 127.0.0.1:4420");
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      return new InetSocketAddress(InetAddress.ofLiteral(host), port);
    } catch (IllegalArgumentException e) {
      throw new RemoraException(Status.INVALID,
          "'" + text + "' is not ADDR:PORT with a literal address and a port of 0 to 65535, for example 127.0.0.1:4420",
          e);
    }
  }

  /** The text that {@link #parse} reads. */
  public static String format(InetSocketAddress address) {
    String host = address.getAddress().getHostAddress();
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort();
  }
}
