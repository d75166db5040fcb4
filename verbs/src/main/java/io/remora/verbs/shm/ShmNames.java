package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.verbs.QueuePairType;
import java.net.InetSocketAddress;
import java.util.Locale;

/** The names of local sockets: who listens where, and datagram queue pairs. Every user has names of his own. */
final class ShmNames {
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
    return prefix(local) + "queue-pair/" + number;
  }

  private static String prefix(Local local) {
    return "remora-verbs/" + local.user() + "/";
  }
}
