package io.remora.cli;

import io.remora.base.Addresses;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.cli.rdma.Perf.Job;
import io.remora.cli.rdma.Perf.Outcome;
import io.remora.cli.rdma.PerfServer;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Terminal;
import io.remora.verbs.Provider;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora rdma ping} and {@code remora rdma perf}. */
final class RdmaPerfCommand {
  private static final Pattern URI = Pattern.compile("rdma://([^/?]+)(?:\\?provider=([a-z]+))?");

  private RdmaPerfCommand() {}

  /** Another end, and who carries the data there. */
  private record Peer(InetSocketAddress address, Provider provider, String device) {
    static Peer parse(String uri, io.remora.cli.Command command) {
      Matcher matcher = URI.matcher(uri);
      if (!matcher.matches()) {
        throw command.usage("'" + uri + "' is not rdma://HOST:PORT[?provider=NAME]");
      }
      try {
        Provider provider = matcher.group(2) == null ? Providers.firstUsable() : Providers.find(matcher.group(2));
        return new Peer(Addresses.parse(matcher.group(1)), provider, Providers.device(provider));
      } catch (RemoraException e) {
        throw command.usage(e.getMessage());
      }
    }
  }

  /** {@code remora rdma ping}. */
  @Command(name = "ping", description = {
    "Send messages to 'remora rdma perf --listen' and time their way there and back."}, footer = {"",
      "Example:  remora rdma ping rdma://127.0.0.1:7471?provider=shm", ""})
  static final class Ping extends io.remora.cli.Command {
    @Parameters(paramLabel = "URI", description = "rdma://HOST:PORT[?provider=NAME]")
    String uri;

    @Option(names = {"-c",
      "--count"}, paramLabel = "N", defaultValue = "5", description = "How many (default: ${DEFAULT-VALUE}).")
    long count = 5;

    @Option(names = "--bs", paramLabel = "SIZE", converter = Sizes.Converter.class, defaultValue = "64", description = "How long each is (default: ${DEFAULT-VALUE}).")
    long bytes = 64;

    @Option(names = "--interval", paramLabel = "TIME", converter = Converters.Time.class, defaultValue = "200ms", description = "The pause between two (default: ${DEFAULT-VALUE}).")
    long intervalNs = 200_000_000;

    @Override
    int run(Terminal terminal) {
      Peer peer = Peer.parse(uri, this);
      Job job = new Job("send", Math.toIntExact(bytes), 1, 0, Long.MAX_VALUE / 4, Math.max(1, count),
          Math.max(1, intervalNs));
      long[] number = new long[1];
      try (Loops loops = Loops.start(Loops.Config.of("ping", 1))) {
        Outcome outcome = io.remora.cli.rdma.Perf.measure(peer.provider(), peer.device(), loops.get(0), peer.address(),
            job,
            ns -> terminal
                .line(bytes + " bytes to " + Addresses.format(peer.address()) + " over " + peer.provider().name() + ": "
                    + ++number[0] + " there and back in " + microseconds(ns) + " us"));
        report(terminal, "ping", peer, bytes, 1, outcome);
      }
      return 0;
    }
  }

  /** {@code remora rdma perf}. */
  @Command(name = "perf", description = {
    "Measure an RDMA operation against 'remora rdma perf --listen' on another end, or be that end.",
    "Write, read, atomic: from post to completion. Send: half of the way there and back."}, footer = {"",
      "Example:  remora rdma perf --listen 127.0.0.1:7471 --provider shm",
      "          remora rdma perf rdma://127.0.0.1:7471?provider=shm --op write --bs 64 --iodepth 1",
      "          remora rdma perf rdma://10.0.0.2:18515?provider=iwarp --peer perftest --op read --bs 64k", ""})
  static final class Perf extends io.remora.cli.Command {
    @Parameters(paramLabel = "URI", arity = "0..1", defaultValue = "", description = "rdma://HOST:PORT[?provider=NAME]")
    String uri = "";

    @Option(names = "--listen", paramLabel = "ADDR:PORT", converter = Converters.Address.class, description = "Be the other end, until stopped.")
    InetSocketAddress listen;

    @Option(names = "--provider", paramLabel = "NAME", defaultValue = "", description = "With --listen: who carries the data (default: the first that works here).")
    String provider = "";

    @Option(names = "--op", paramLabel = "NAME", defaultValue = "write", description = "send, write, read or atomic (default: ${DEFAULT-VALUE}); with perftest also compare-and-swap.")
    String operation = "write";

    @Option(names = "--bs", paramLabel = "SIZE", converter = Sizes.Converter.class, defaultValue = "64", description = "Bytes of each (default: ${DEFAULT-VALUE}).")
    long bytes = 64;

    @Option(names = "--iodepth", paramLabel = "N", defaultValue = "1", description = "How many at once (default: ${DEFAULT-VALUE}).")
    int depth = 1;

    @Option(names = "--runtime", paramLabel = "TIME", converter = Converters.Time.class, defaultValue = "5", description = "How long to measure (default: ${DEFAULT-VALUE} s).")
    long runtimeNs = 5_000_000_000L;

    @Option(names = "--ramp", paramLabel = "TIME", converter = Converters.Time.class, defaultValue = "1", description = "How long before without counting (default: ${DEFAULT-VALUE} s).")
    long rampNs = 1_000_000_000L;

    @Mixin
    LoopOptions loopOptions;

    @Mixin
    RdmaPerftest perftest;

    @Override
    int run(Terminal terminal) throws InterruptedException {
      if ((listen == null) == uri.isEmpty()) {
        throw usage("either a URI to measure against, or --listen");
      }
      perftest.check(this);
      return listen == null ? measure(terminal) : serve(terminal);
    }

    private int serve(Terminal terminal) throws InterruptedException {
      Provider carrier = provider.isEmpty() ? Providers.firstUsable() : Providers.find(provider);
      String device = Providers.device(carrier);
      try (Loops loops = loopOptions.start("perf", 1)) {
        if (perftest.chosen()) {
          return perftest.serve(this, terminal, loops, carrier, listen, operation, bytes, depth);
        }
        PerfServer server = io.remora.cli.rdma.Perf.serve(carrier, device, loops.get(0), listen, terminal::line);
        String ready = "rdma://" + Addresses.format(server.localAddress()) + "?provider=" + carrier.name();
        terminal.line("ready: " + ready);
        if (terminal.json()) {
          terminal
              .result(Terminal.object().put("ready", true).put("uri", ready).put("pid", ProcessHandle.current().pid()));
        }
        Ending ending = new Ending();
        ending.await();
        ending.done();
      }
      return 0;
    }

    private int measure(Terminal terminal) {
      Peer peer = Peer.parse(uri, this);
      if (perftest.chosen()) {
        try (Loops loops = loopOptions.start("perf", 1)) {
          return perftest.measure(this, terminal, loops, peer.provider(), peer.device(), peer.address(), operation,
              bytes, depth);
        }
      }
      Job job;
      try {
        job = new Job(operation, Math.toIntExact(bytes), depth, rampNs, runtimeNs, 0, 0);
      } catch (RemoraException e) {
        throw usage(e.getMessage());
      }
      try (Loops loops = loopOptions.start("perf", 1)) {
        report(terminal, operation, peer, bytes, depth,
            io.remora.cli.rdma.Perf.measure(peer.provider(), peer.device(), loops.get(0),
                peer.address(), job, ns -> {}));
      }
      return 0;
    }
  }

  private static void report(Terminal terminal, String operation, Peer peer, long bytes, int depth, Outcome outcome) {
    Histogram latency = outcome.latency();
    double rate = outcome.perSecond();
    if (terminal.json()) {
      terminal.result(Terminal.object().put("operation", operation).put("provider", peer.provider().name())
          .put("device", peer.device()).put("bs", bytes).put("iodepth", depth)
          .put("operations", latency.getTotalCount())
          .put("per_second", rate).put("mib_s", rate * bytes / (1 << 20)).set("lat_us",
              Terminal.object().put("min", latency.getMinValue() / 1e3)
                  .put("p50", latency.getValueAtPercentile(50) / 1e3)
                  .put("p99", latency.getValueAtPercentile(99) / 1e3)
                  .put("p99_9", latency.getValueAtPercentile(99.9) / 1e3)
                  .put("max", latency.getMaxValue() / 1e3)));
      return;
    }
    terminal.line(String.format(Locale.ROOT, "%s over %s %s, %s, depth %d: %.0f per second, %.1f MiB/s", operation,
        peer.provider().name(), peer.device(), Sizes.format(bytes), depth, rate, rate * bytes / (1 << 20)));
    terminal.line("latency us" + ("send".equals(operation) || "ping".equals(operation) ? ", one way" : "") + ": min "
        + microseconds(latency.getMinValue()) + ", p50 " + microseconds(latency.getValueAtPercentile(50)) + ", p99 "
        + microseconds(latency.getValueAtPercentile(99)) + ", p99.9 " + microseconds(latency.getValueAtPercentile(99.9))
        + ", max "
        + microseconds(latency.getMaxValue()));
  }

  private static String microseconds(long ns) {
    return String.format(Locale.ROOT, "%.2f", ns / 1e3);
  }
}
