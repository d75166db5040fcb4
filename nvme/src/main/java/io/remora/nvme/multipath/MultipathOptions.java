package io.remora.nvme.multipath;

import io.remora.base.Check;
import io.remora.nvme.host.HostOptions;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How several paths to one namespace are used. Immutable; each {@code with…} gives a changed copy.
 *
 * @param host how each path connects; its address means nothing. The {@linkplain HostOptions.Times#holdNs hold time} counts from the
 *     loss of the last path: requests are held for as long, then they complete with DISCONNECTED, as later ones do until there is a path
 *     again. After the {@linkplain HostOptions.Times#lossNs loss time} without a path the device is given up for good.
 * @param nsid the namespace; empty for the first one
 * @param policy which path a request takes
 * @param local which addresses are local, for {@link PathPolicy#LOCAL}; called on the device's first loop
 * @param maxHeld requests per channel that may wait for a path; more complete with NO_RESOURCES
 */
public record MultipathOptions(HostOptions host, Optional<Integer> nsid, PathPolicy policy,
    Predicate<InetSocketAddress> local, int maxHeld) {
  /** Checks them. */
  public MultipathOptions {
    Check.argument(maxHeld >= 1, "room for %d requests that wait: at least 1", maxHeld);
  }

  /** The first namespace, each path in turn, up to 16384 requests held. */
  public static MultipathOptions of(HostOptions host) {
    return new MultipathOptions(host, Optional.empty(), PathPolicy.ROUND_ROBIN, address -> false, 16384);
  }

  /** For another namespace; empty for the first one. */
  public MultipathOptions withNsid(Optional<Integer> other) {
    return new MultipathOptions(host, other, policy, local, maxHeld);
  }

  /** With another policy. */
  public MultipathOptions withPolicy(PathPolicy other) {
    return new MultipathOptions(host, nsid, other, local, maxHeld);
  }

  /** With another idea of what is local. */
  public MultipathOptions withLocal(Predicate<InetSocketAddress> other) {
    return new MultipathOptions(host, nsid, policy, other, maxHeld);
  }

  /** With another bound on requests that wait for a path. */
  public MultipathOptions withMaxHeld(int requests) {
    return new MultipathOptions(host, nsid, policy, local, requests);
  }
}
