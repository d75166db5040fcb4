package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.verbs.QueuePairType;
import java.net.InetSocketAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The names of local sockets: who listens where, and datagram queue pairs. Every user has names of his own. */
final class ShmNames {
  private static final int MAX_NUMBER = 0xff_ffff;

  private ShmNames() {}

  /** Of who listens at exactly {@code address}, or at its port whatever the address when that is the wildcard. */
  static String listener(Local local, QueuePairType type, InetSocketAddress address) {
    String host = address.getAddress().isAnyLocalAddress() ? "*" : address.getAddress().getHostAddress();
    return prefix(local) + type.name().toLowerCase(Locale.ROOT) + "/" + host + ":" + address.getPort();
  }

  /** Of who listens at any address. */
  static String anyListener(Local local, QueuePairType type, int port) {
    return prefix(local) + type.name().toLowerCase(Locale.ROOT) + "/*:" + port;
  }

  /** Of the datagram queue pair of that number. */
  static String datagrams(Local local, int number) {
    return prefix(local) + "queue-pair/" + (number & MAX_NUMBER);
  }

  /** The number of the datagram queue pair of that name; 0 when it is none. */
  static int numberOf(Local local, @Nullable String name) {
    String before = prefix(local) + "queue-pair/";
    if (name == null || !name.startsWith(before) || name.length() > before.length() + 8) {
      return 0;
    }
    int number = 0;
    for (int i = before.length(); i < name.length(); i++) {
      int digit = name.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return 0;
      }
      number = number * 10 + digit;
    }
    return number <= MAX_NUMBER ? number : 0;
  }

  private static String prefix(Local local) {
    return "remora-verbs/" + local.user() + "/";
  }
}
