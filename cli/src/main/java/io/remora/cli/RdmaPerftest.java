package io.remora.cli;

import io.remora.base.Addresses;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.cli.rdma.PerftestRun;
import io.remora.cli.terminal.Terminal;
import io.remora.verbs.Provider;
import io.remora.verbs.tool.PerftestJob;
import io.remora.verbs.tool.PerftestJob.Operation;
import io.remora.verbs.tool.PerftestReport;
import java.net.InetSocketAddress;
import java.util.List;
import picocli.CommandLine.Option;

/** {@code remora rdma perf --peer perftest}: the options and both ends. */
final class RdmaPerftest {
  /** Who is at the other end. */
  enum Kind {
    remora, perftest
  }

  /** What an end of the other kind would not heed. */
  private static final List<String> OTHERS = List.of("--runtime", "--ramp");
  private static final List<String> OWN = List.of("--iterations", "--receives", "--verify");

  @Option(names = "--peer", paramLabel = "KIND", defaultValue = "remora", description = "Who is at the other end: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}). "
      + "perftest: ib_send_bw, ib_write_bw, ib_read_bw or ib_atomic_bw of linux-rdma, with -R; both ends are to be told the same.")
  Kind kind = Kind.remora;

  @Option(names = "--iterations", paramLabel = "N", defaultValue = "1000", description = "With perftest: how many operations, as its -n (default: ${DEFAULT-VALUE}).")
  long iterations = 1000;

  @Option(names = "--receives", paramLabel = "N", defaultValue = "512", description = "With perftest's send: how many receives the server posts, as its -r (default: ${DEFAULT-VALUE}).")
  int receives = PerftestJob.DEFAULT_RECEIVES;

  @Option(names = "--verify", description = "With perftest: look at the data too, as far as its protocol allows.")
  boolean verified;

  boolean chosen() {
    return kind == Kind.perftest;
  }

  /** Refuses options that the chosen kind of peer has no use for. */
  void check(Command command) {
    for (String option : chosen() ? OTHERS : OWN) {
      if (command.spec.commandLine().getParseResult().hasMatchedOption(option)) {
        throw command.usage(option + " has no meaning with --peer " + kind);
      }
    }
  }

  private PerftestJob job(Command command, String operation, long bytes, int depth) {
    try {
      return new PerftestJob(Operation.parse(operation), Math.toIntExact(Math.min(bytes, Integer.MAX_VALUE)),
          iterations, depth, receives, verified);
    } catch (RemoraException e) {
      throw command.usage(e.getMessage());
    }
  }

  int serve(Command command, Terminal terminal, Loops loops, Provider provider, InetSocketAddress listen,
      String operation, long bytes, int depth) throws InterruptedException {
    PerftestJob job = job(command, operation, bytes, depth);
    InetSocketAddress address = PerftestRun.serve(provider, Providers.device(provider), loops.get(0), listen, job,
        terminal::line);
    String ready = "rdma://" + Addresses.format(address) + "?provider=" + provider.name();
    terminal.line("ready: " + ready);
    if (terminal.json()) {
      terminal.result(Terminal.object().put("ready", true).put("uri", ready).put("pid", ProcessHandle.current().pid()));
    }
    Ending ending = new Ending();
    ending.await();
    ending.done();
    return 0;
  }

  int measure(Command command, Terminal terminal, Loops loops, Provider provider, String device,
      InetSocketAddress address, String operation, long bytes, int depth) {
    PerftestJob job = job(command, operation, bytes, depth);
    PerftestReport report = PerftestRun.measure(provider, device, loops.get(0), address, job);
    if (terminal.json()) {
      terminal.result(Terminal.object().put("operation", job.operation().text()).put("provider", provider.name())
          .put("device", device).put("bs", report.bytes()).put("iodepth", depth)
          .put("operations", report.iterations()).put("per_second", report.millionsPerSecond() * 1e6)
          .put("mib_s", report.averageMiBPerSecond()).put("verified", job.verified()));
    } else {
      terminal.line(PerftestRun.text(job, report));
    }
    return 0;
  }
}
