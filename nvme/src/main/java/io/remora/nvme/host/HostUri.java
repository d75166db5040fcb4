package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * {@code nvmf+tcp://HOST:PORT/NQN[?name=value&…]}: a namespace of a subsystem somewhere. Immutable.
 *
 * <p>Parameters: {@code nsid} (the first namespace unless given), {@code queues}, {@code depth}, {@code hdgst} and {@code ddgst}
 * (0 or 1), {@code hostnqn}, {@code hostid}; in seconds {@code kato}, {@code io-timeout}, {@code hold}, {@code loss}; {@code
 * resend} ({@code safe} or {@code at-once}).
 *
 * @param transport {@code tcp}
 * @param host a name or a literal address (IPv6 without brackets); names are resolved by the caller
 * @param port 1 to 65535; 4420 unless given
 * @param nqn of the subsystem
 * @param nsid of the namespace; empty for the first one
 */
public record HostUri(String transport, String host, int port, String nqn, Optional<Integer> nsid,
    Map<String, String> parameters) {
  /** Where subsystems listen unless somebody says otherwise. */
  public static final int DEFAULT_PORT = 4420;

  private static final String SCHEME = "nvmf+";
  private static final String EXAMPLE = "nvmf+tcp://127.0.0.1:4420/nqn.2024-01.example:disk";

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
    try {
      URI uri = new URI(text);
      String scheme = uri.getScheme();
      String host = uri.getHost();
      String path = uri.getPath();
      Check.argument(scheme != null && scheme.startsWith(SCHEME) && host != null && path != null && path.length() > 1,
          "'%s' is not nvmf+TRANSPORT://HOST:PORT/NQN, for example %s", text, EXAMPLE);
      assert scheme != null && host != null && path != null;
      if (host.startsWith("[") && host.endsWith("]")) {
        host = host.substring(1, host.length() - 1);
      }
      Map<String, String> parameters = parameters(text, uri.getQuery() == null ? "" : uri.getQuery());
      Optional<Integer> nsid = Optional.ofNullable(parameters.remove("nsid")).map(value -> number("nsid", value));
      int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
      Check.argument(port > 0 && port < 65536, "'%s': port %d: 1 to 65535", text, port);
      HostUri parsed = new HostUri(scheme.substring(SCHEME.length()), host, port, path.substring(1), nsid,
          Map.copyOf(parameters));
      parsed.options(InetAddress.getLoopbackAddress());
      return parsed;
    } catch (URISyntaxException e) {
      throw new RemoraException(Status.INVALID, "'" + text + "' is not a URI: " + e.getReason() + "; for example "
          + EXAMPLE, e);
    }
  }

  /** The options it means, with the host's name resolved to {@code resolved}. */
  public HostOptions options(InetAddress resolved) {
    HostOptions options = HostOptions.of(new InetSocketAddress(resolved, port), nqn);
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
        case "hdgst" -> headerDigest = flag(name, value);
        case "ddgst" -> dataDigest = flag(name, value);
        case "hostnqn" -> hostNqn = value;
        case "hostid" -> hostId = Optional.of(uuid(value));
        case "kato" -> times = times.withKeepAlive(seconds(name, value));
        case "io-timeout" -> times = times.withIo(seconds(name, value));
        case "hold" -> times = times.withHold(seconds(name, value));
        case "loss" -> times = times.withLoss(seconds(name, value));
        case "resend" -> options = options.withResend(resend(value));
        default -> throw new RemoraException(Status.INVALID, "unknown parameter '" + name
            + "': nsid, queues, depth, hdgst, ddgst, hostnqn, hostid, kato, io-timeout, hold, loss, resend");
      }
    }
    options = options.withDigests(headerDigest, dataDigest).withTimes(times);
    return new HostOptions(options.address(), nqn, hostId, hostNqn.isEmpty() ? Optional.empty() : Optional.of(hostNqn),
        options.queues(), options.depth(), options.maxQueued(), headerDigest, dataDigest, times, options.resend(),
        options.onLoss());
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
