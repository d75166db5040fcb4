package io.remora.verbs.provider;

import io.remora.base.Check;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;

/**
 * What an operator says about RDMA.
 *
 * @param enabled {@code rdma.enabled}: whether it is used at all
 * @param netInterface {@code rdma.interface}: the interface to use, by name ({@code eth0}), address ({@code 10.0.0.5}), MAC ({@code 02:00:00:00:00:01}) or subnet
 *     ({@code 10.0.0.0/24}); empty: any
 * @param providers {@code rdma.providers}: which to try, in that order
 * @param transport {@code transport}
 */
public record RdmaPolicy(boolean enabled, String netInterface, List<String> providers, Transport transport) {
  /** Which transport connections are to have. */
  public enum Transport {
    /** RDMA where there is a usable device, else TCP with a warning. */
    PREFER_RDMA,
    /** RDMA, or nothing. */
    REQUIRE_RDMA,
    /** TCP only. */
    TCP;

    /** Of {@code prefer-rdma}, {@code require-rdma} or {@code tcp}. */
    public static Transport parse(String text) {
      for (Transport transport : values()) {
        if (transport.text().equals(text)) {
          return transport;
        }
      }
      Check.argument(false, "transport '%s': prefer-rdma, require-rdma or tcp", text);
      return TCP;
    }

    /** As it is written in options. */
    public String text() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Network cards first, then shared memory; iWARP in user space only when it is named, since TCP is as good between machines without cards. */
  public static final List<String> DEFAULT_PROVIDERS = List.of("ibverbs", "shm");

  /** RDMA where there is a device, on any interface. */
  public static final RdmaPolicy DEFAULT = new RdmaPolicy(true, "", DEFAULT_PROVIDERS, Transport.PREFER_RDMA);

  /** Keeps a copy of the list; refuses what contradicts itself and what cannot be an interface. */
  public RdmaPolicy {
    providers = List.copyOf(providers);
    Check.argument(enabled || transport != Transport.REQUIRE_RDMA, "transport require-rdma needs rdma.enabled");
    Check.argument(!providers.isEmpty() || !enabled, "rdma.providers names none: ibverbs, iwarp, shm");
    InterfaceMatch.parse(netInterface);
  }

  /** This on the interface that has {@code address}, unless one is named already or {@code address} is the wildcard. */
  RdmaPolicy on(InetAddress address) {
    return netInterface.isEmpty() && !address.isAnyLocalAddress()
        ? new RdmaPolicy(enabled, address.getHostAddress(), providers, transport)
        : this;
  }
}
