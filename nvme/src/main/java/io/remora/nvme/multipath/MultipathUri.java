package io.remora.nvme.multipath;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.host.HostUri;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * What a {@link HostUri} says of several paths: {@code policy=round-robin|queue-depth|local}, and {@code discover=1} when its
 * addresses are discovery services that know the paths. Stateless.
 */
public final class MultipathUri {
  private MultipathUri() {}

  /** Whether it asks for several paths: it has several addresses or one of these parameters. */
  public static boolean matches(HostUri uri) {
    return uri.addresses().size() > 1 || uri.parameters().containsKey("policy") || discovers(uri);
  }

  /** Whether its addresses are those of discovery services. */
  public static boolean discovers(HostUri uri) {
    String value = uri.parameters().getOrDefault("discover", "0");
    if (!value.equals("0") && !value.equals("1")) {
      throw new RemoraException(Status.INVALID, "discover=" + value + " is neither 0 nor 1");
    }
    return value.equals("1");
  }

  /**
   * Checks the parameters.
   *
   * @throws RemoraException {@link Status#INVALID} with what was expected
   */
  public static void check(HostUri uri) {
    discovers(uri);
    String policy = uri.parameters().get("policy");
    if (policy != null) {
      policy(policy);
    }
  }

  /** The options that it means, with {@code host} for each path. */
  public static MultipathOptions options(HostUri uri, HostOptions host) {
    MultipathOptions options = MultipathOptions.of(host).withNsid(uri.nsid());
    String policy = uri.parameters().get("policy");
    return policy == null ? options : options.withPolicy(policy(policy));
  }

  private static PathPolicy policy(String text) {
    return Arrays.stream(PathPolicy.values()).filter(each -> each.text().equals(text)).findFirst()
        .orElseThrow(() -> new RemoraException(Status.INVALID, "policy=" + text + ": "
            + Arrays.stream(PathPolicy.values()).map(PathPolicy::text).collect(Collectors.joining(", "))));
  }
}
