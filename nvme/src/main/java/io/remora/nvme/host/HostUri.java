package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code nvmf+TRANSPORT://HOST:PORT[,HOST:PORT…]/NQN[?name=value&…]}, TRANSPORT being tcp or rdma: a namespace of a subsystem somewhere, by one path or by several.
 * Immutable.
 *
 * <p>Parameters: {@code nsid} (the first namespace unless given), {@code queues}, {@code depth}, with tcp {@code hdgst} and {@code ddgst}
 * (0 or 1), with rdma {@code provider} (of RDMA devices, for example {@code iwarp}; the first that works unless given), {@code hostnqn}, {@code hostid}; in seconds {@code kato}, {@code io-timeout}, {@code fail-fast} (how long requests
 * are held while there is no path; 0: not at all) and {@code loss-timeout} (after which it is given up); {@code
 * resend} ({@code safe} or {@code at-once}); {@code policy} and {@code discover}, see {@code io.remora.nvme.multipath.MultipathUri}.
 *
 * @param transport {@code tcp} or {@code rdma}
 * @param addresses where, at least one
 * @param nqn of the subsystem
 * @param nsid of the namespace; empty for the first one
 */
public record HostUri(String transport, List<Address> addresses, String nqn, Optional<Integer> nsid,
    Map<String, String> parameters) {
  /** Where subsystems listen unless somebody says otherwise. */
  public static final int DEFAULT_PORT = 4420;

  /** The transport of NVMe/TCP. */
  public static final String TCP = "tcp";

  /** The transport of NVMe/RDMA. */
  public static final String RDMA = "rdma";

  private static final String SCHEME = "nvmf+";
  private static final int MAX_ADDRESSES = 64;
  private static final String EXAMPLE = "nvmf+tcp://127.0.0.1:4420/nqn.2024-01.example:disk";
  private static final Pattern FORM = Pattern.compile("nvmf\\+([a-z]+)://([^/?#]+)(?:/([^?#]*))?(?:\\?([^#]*))?");

  /**
   * Where a controller is.
   *
   * @param host a name or a literal address (IPv6 without brackets); names are resolved by the caller
   * @param port 1 to 65535; 4420 unless given
   */
  public record Address(String host, int port) {}

  /** Whether {@code text} looks like one. */
  public static boolean matches(String text) {
    return text.startsWith(SCHEME);
  }

  /**
   * Parses one.
   *
   * @throws RemoraException {@link Status#INVALID} with the text and what was expected
   */
  public static HostUri parse(String text) {
    Matcher form = FORM.matcher(text);
    Check.argument(form.matches() && form.group(3) != null && !form.group(3).isEmpty(),
        "'%s' is not nvmf+TRANSPORT://HOST:PORT/NQN, for example %s", text, EXAMPLE);
    return of(text, form, uri(text, "nvmf://host/" + form.group(3)).getPath().substring(1));
  }

  /**
   * Parses the URI of a discovery service: as others, without an NQN.
   *
   * @throws RemoraException {@link Status#INVALID} with the text and what was expected
   */
  public static HostUri parseService(String text) {
    Matcher form = FORM.matcher(text);
    Check.argument(form.matches() && (form.group(3) == null || form.group(3).isEmpty())
        && form.group(2).indexOf(',') < 0,
        "'%s' is not nvmf+TRANSPORT://HOST:PORT, for example nvmf+tcp://127.0.0.1:4420",
        text);
    return of(text, form, HostOptions.DISCOVERY_NQN);
  }

  private static HostUri of(String text, Matcher form, String nqn) {
    List<Address> addresses = Arrays.stream(form.group(2).split(",", -1)).map(each -> address(text, each)).toList();
    Check.argument(addresses.size() <= MAX_ADDRESSES, "'%s' has more than %d addresses", text, MAX_ADDRESSES);
    Check.argument(Set.copyOf(addresses).size() == addresses.size(), "'%s' has an address twice", text);
    String query = form.group(4) == null ? "" : uri(text, "nvmf://host/?" + form.group(4)).getQuery();
    Map<String, String> parameters = parameters(text, query);
    Optional<Integer> nsid = Optional.ofNullable(parameters.remove("nsid")).map(value -> number("nsid", value));
    Check.argument(form.group(1).equals(TCP) || form.group(1).equals(RDMA),
        "'%s': transport %s is neither tcp nor rdma",
        text, form.group(1));
    HostUri parsed = new HostUri(form.group(1), addresses, nqn, nsid, Map.copyOf(parameters));
    parsed.options(new InetSocketAddress(InetAddress.getLoopbackAddress(), addresses.getFirst().port));
    return parsed;
  }

  private static Address address(String text, String part) {
    URI uri = uri(text, "nvmf://" + part);
    String host = uri.getHost();
    Check.argument(host != null && uri.getUserInfo() == null, "'%s': '%s' is not HOST:PORT", text, part);
    assert host != null;
    int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
    Check.argument(port > 0 && port < 65536, "'%s': port %d: 1 to 65535", text, port);
    return new Address(host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port);
  }

  private static URI uri(String text, String part) {
    try {
      return new URI(part);
    } catch (URISyntaxException e) {
      throw new RemoraException(Status.INVALID, "'" + text + "' is not a URI: " + e.getReason() + "; for example "
          + EXAMPLE, e);
    }
  }

  /** Whose RDMA devices are to be used; empty: not said. */
  public Optional<String> provider() {
    return Optional.ofNullable(parameters.get("provider"));
  }

  /** The options it means for the path at {@code resolved}. */
  public HostOptions options(InetSocketAddress resolved) {
    HostOptions options = HostOptions.of(resolved, nqn);
    boolean headerDigest = false;
    boolean dataDigest = false;
    String hostNqn = "";
    Optional<UUID> hostId = Optional.empty();
    HostOptions.Times times = options.times();
    for (Map.Entry<String, String> parameter : parameters.entrySet()) {
      String name = parameter.getKey();
      String value = parameter.getValue();
      switch (name) {
        case "queues" -> options = options.withQueues(number(name, value), options.depth());
        case "depth" -> options = options.withQueues(options.queues(), number(name, value));
        case "hdgst" -> headerDigest = flag(only(TCP, name), value);
        case "ddgst" -> dataDigest = flag(only(TCP, name), value);
        case "provider" -> Check.argument(!value.isEmpty(), "%s is empty", only(RDMA, name));
        case "hostnqn" -> hostNqn = value;
        case "hostid" -> hostId = Optional.of(uuid(value));
        case "kato" -> times = times.withKeepAlive(seconds(name, value));
        case "io-timeout" -> times = times.withIo(seconds(name, value));
        case "fail-fast" -> times = times.withHold(seconds(name, value));
        case "loss-timeout" -> times = times.withLoss(seconds(name, value));
        case "resend" -> options = options.withResend(resend(value));
        case "policy", "discover" -> Check.argument(!value.isEmpty(), "%s is empty", name);
        default -> throw new RemoraException(Status.INVALID,
            "unknown parameter '" + name
                + "': nsid, queues, depth, hdgst, ddgst, provider, hostnqn, hostid, kato, io-timeout, "
                + "fail-fast, loss-timeout, resend, policy, discover");
      }
    }
    return new HostOptions(options.address(), nqn, hostId, hostNqn.isEmpty() ? Optional.empty() : Optional.of(hostNqn),
        options.queues(), options.depth(), options.maxQueued(), headerDigest, dataDigest, times, options.resend(),
        options.onLoss());
  }

  private String only(String of, String name) {
    Check.argument(transport.equals(of), "parameter '%s' goes with transport %s, not with %s", name, of, transport);
    return name;
  }

  private static Map<String, String> parameters(String text, String query) {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (String part : query.split("&")) {
      if (!part.isEmpty()) {
        int equals = part.indexOf('=');
        Check.argument(equals > 0, "'%s': '%s' is not name=value", text, part);
        parameters.put(part.substring(0, equals), part.substring(equals + 1));
      }
    }
    return parameters;
  }

  private static int number(String name, String value) {
    try {
      int number = Integer.parseInt(value);
      Check.argument(number >= 0, "%s=%s must not be negative", name, value);
      return number;
    } catch (NumberFormatException e) {
      throw new RemoraException(Status.INVALID, name + "=" + value + " is not a number", e);
    }
  }

  private static long seconds(String name, String value) {
    return TimeUnit.SECONDS.toNanos(number(name, value));
  }

  private static boolean flag(String name, String value) {
    Check.argument(value.equals("0") || value.equals("1"), "%s=%s is neither 0 nor 1", name, value);
    return value.equals("1");
  }

  private static HostOptions.Resend resend(String value) {
    return switch (value) {
      case "safe" -> HostOptions.Resend.WHEN_OLD_IS_DEAD;
      case "at-once" -> HostOptions.Resend.AT_ONCE;
      default -> throw new RemoraException(Status.INVALID, "resend=" + value + ": safe or at-once");
    };
  }

  private static UUID uuid(String value) {
    try {
      return UUID.fromString(value);
    } catch (IllegalArgumentException e) {
      throw new RemoraException(Status.INVALID, "hostid=" + value + " is not a UUID", e);
    }
  }
}
