package io.remora.verbs.provider;

import io.remora.base.Check;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Says whether a device belongs to the interface that {@code rdma.interface} means. */
final class InterfaceMatch {
  private static final Pattern MAC = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");
  private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*(%.*)?");

  private final String text;
  private final @Nullable InetAddress address;
  private final int prefixBits;
  private final boolean mac;

  private InterfaceMatch(String text, @Nullable InetAddress address, int prefixBits, boolean mac) {
    this.text = text;
    this.address = address;
    this.prefixBits = prefixBits;
    this.mac = mac;
  }

  /** Of a name, an address, a MAC or a subnet; empty matches all. */
  static InterfaceMatch parse(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (MAC.matcher(lower).matches()) {
      return new InterfaceMatch(lower, null, 0, true);
    }
    int slash = lower.indexOf('/');
    String host = slash < 0 ? lower : lower.substring(0, slash);
    if (!ADDRESS.matcher(host).matches()) {
      Check.argument(slash < 0, "rdma.interface '%s': an interface's name, an address, a MAC or a subnet", text);
      return new InterfaceMatch(text, null, 0, false);
    }
    try {
      // A literal, so that no name server is asked.
      InetAddress parsed = InetAddress.ofLiteral(host);
      int most = parsed.getAddress().length * 8;
      int bits = slash < 0 ? most : Integer.parseInt(lower.substring(slash + 1));
      Check.argument(bits >= 0 && bits <= most, "rdma.interface '%s': a prefix of 0 to %d bits", text, most);
      return new InterfaceMatch(text, parsed, bits, false);
    } catch (IllegalArgumentException e) {
      Check.argument(false, "rdma.interface '%s': an interface's name, an address, a MAC or a subnet", text);
      throw new AssertionError(e);
    }
  }

  /** Whether an interface of that name, with those addresses, is meant. */
  boolean matches(@Nullable String name, List<InetAddress> addresses) {
    if (text.isEmpty()) {
      return true;
    }
    InetAddress wanted = address;
    if (wanted != null) {
      return addresses.stream().anyMatch(has -> samePrefix(wanted.getAddress(), has.getAddress(), prefixBits));
    }
    return mac ? name != null && text.equals(macOf(name)) : text.equals(name);
  }

  /** The addresses that are meant, of this machine's interfaces; none when it has no such interface. Asks the system. */
  List<InetAddress> ofThisMachine() {
    try {
      return NetworkInterface.networkInterfaces()
          .flatMap(each -> each.inetAddresses().filter(own -> matches(each.getName(), List.of(own)))).toList();
    } catch (SocketException e) {
      return List.of();
    }
  }

  private static boolean samePrefix(byte[] one, byte[] other, int bits) {
    if (one.length != other.length) {
      return false;
    }
    for (int bit = 0; bit < bits; bit++) {
      int mask = 0x80 >> (bit & 7);
      if (((one[bit >> 3] ^ other[bit >> 3]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }

  private static @Nullable String macOf(String name) {
    try {
      NetworkInterface found = NetworkInterface.getByName(name);
      byte[] bytes = found == null ? null : found.getHardwareAddress();
      return bytes == null ? null : HexFormat.ofDelimiter(":").formatHex(bytes);
    } catch (SocketException e) {
      return null;
    }
  }

  @Override
  public String toString() {
    return text.isEmpty() ? "any interface" : text;
  }
}
