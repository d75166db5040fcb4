package io.remora.bench.pair;

import io.remora.cli.load.PingPong;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench/run}: the command line. Main thread. */
@Command(name = "bench/run", sortOptions = false, description = {
  "Measures 'remora target' and another NVMe/TCP target side by side, in turn, on the same two processors.",
  "Writes results.md and results.json."}, footer = {"",
    "Example, with SPDK's nvmf_tgt behind a script that takes CORE MIB ADDRESS PORT NQN, and spdk_nvme_perf:",
    "  bench/run --peer 'spdk=my-nvmf-tgt $CORE $MIB $ADDRESS $PORT $NQN' \\",
    "    --perf 'my-perf $CORE $ADDRESS $PORT $NQN $RW $BYTES $DEPTH $SECONDS -L -a $RAMP $MIX'", ""})
final class Comparison implements Callable<Integer> {
  private static final long SETTLE_MS = 500;
  private static final String NQN = "nqn.2026-01.io.remora.bench:memory";

  @Option(names = "--peer", required = true, paramLabel = "NAME=COMMAND", description = {
    "The other target: a shell command that serves a namespace in memory over NVMe/TCP, until SIGTERM.",
    "Its variables: $CORE, $MIB (the size), $ADDRESS, $PORT, $NQN, $FILE (see --files). May be repeated."})
  List<String> peers = List.of();

  @Option(names = "--perf", paramLabel = "COMMAND", description = {
    "A second driver, which prints what 'spdk_nvme_perf -L' prints.",
    "Its variables: $ADDRESS, $PORT, $NQN, $CORE, $RW, $BYTES, $DEPTH, $RAMP, $SECONDS, $MIX ('-M 70' for randrw).",
    "Default: spdk_nvme_perf, where that is on the PATH."})
  String perf = "";

  @Option(names = "--drivers", split = ",", paramLabel = "LIST", defaultValue = "remora,perf", description = "Which drivers to use, of remora and perf (default: both).")
  List<String> drivers = List.of();

  @Option(names = "--work", split = ",", paramLabel = "LIST", description = "Only these, for example randread-4k-q32,write-128k-q16 (default: all).")
  List<String> works = List.of();

  @Option(names = "--pairs", paramLabel = "N", defaultValue = "5", description = "Pairs of runs for each figure (default: ${DEFAULT-VALUE}).")
  int pairs;

  @Option(names = "--runtime", paramLabel = "S", defaultValue = "3", description = "Seconds of each run (default: ${DEFAULT-VALUE}).")
  int seconds;

  @Option(names = "--ramp", paramLabel = "S", defaultValue = "2", description = "Seconds before each measurement (default: ${DEFAULT-VALUE}).")
  int rampSeconds;

  @Option(names = "--mib", paramLabel = "N", defaultValue = "256", description = "The size of the device in MiB (default: ${DEFAULT-VALUE}).")
  int mib;

  @Option(names = "--files", paramLabel = "DIR", description = "Measure on files of this folder instead of memory; the peer's is in $FILE, which is empty otherwise. They stay there.")
  @Nullable
  Path files;

  @Option(names = "--target-core", paramLabel = "N", defaultValue = "0", description = "The target's processor (default: ${DEFAULT-VALUE}).")
  int targetCore;

  @Option(names = "--driver-core", paramLabel = "N", defaultValue = "1", description = "The driver's processor (default: ${DEFAULT-VALUE}).")
  int driverCore;

  @Option(names = "--congestion", paramLabel = "NAME", defaultValue = "cubic", description = "TCP's congestion control for the measurement, which needs root; '' leaves it (default: ${DEFAULT-VALUE}).")
  String congestion = "";

  @Option(names = "--near-ns", paramLabel = "N", defaultValue = "250", description = "A shorter round trip of a cache line means that the processors are near (default: ${DEFAULT-VALUE}).")
  double nearNs;

  @Option(names = "--other-limit", paramLabel = "PERCENT", defaultValue = "5", description = "A run during which others use more of the processors does not count (default: ${DEFAULT-VALUE}).")
  double otherPercent;

  @Option(names = "--target-options", paramLabel = "OPTIONS", defaultValue = "--spin-us -1", description = "More options for 'remora target'; by default it polls for ever, as SPDK does (default: ${DEFAULT-VALUE}).")
  String targetOptions = "";

  @Option(names = "--driver-options", paramLabel = "OPTIONS", defaultValue = "--spin-us -1", description = "More options for 'remora bench' (default: ${DEFAULT-VALUE}).")
  String driverOptions = "";

  @Option(names = "--out", paramLabel = "DIR", defaultValue = "bench/target/results", description = "Where to write (default: ${DEFAULT-VALUE}).")
  Path out = Path.of("");

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "Print this help.")
  boolean help;

  private Comparison() {}

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Comparison()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    Files.createDirectories(out);
    List<Driver> chosen = chosenDrivers();
    List<Work> wanted = Work.all().stream().filter(work -> works.isEmpty() || works.contains(work.name())).toList();
    if (chosen.isEmpty() || wanted.isEmpty() || peers.stream().anyMatch(peer -> peer.indexOf('=') < 1)) {
      throw new CommandLine.ParameterException(new CommandLine(this),
          "nothing to do: no driver, no work, or a peer that is not NAME=COMMAND");
    }
    Map<String, String> conditions = conditions();
    List<Summary> summaries = new ArrayList<>();
    try (Congestion _ = new Congestion(congestion); Contestant ours = remora()) {
      conditions.put("congestion control", Congestion.now());
      for (String peer : peers) {
        try (Contestant other = peer(peer)) {
          compare(chosen, wanted, ours, other, new Report(conditions, summaries), summaries);
        }
      }
    }
    System.out.print(new Report(conditions, summaries).markdown());
    return 0;
  }

  private void compare(List<Driver> chosen, List<Work> wanted, Contestant ours, Contestant other, Report report,
      List<Summary> summaries) throws IOException {
    Bench.Settings settings = new Bench.Settings(targetCore, driverCore, NQN, rampSeconds, seconds, pairs, nearNs,
        otherPercent / 100);
    try (PingPong pingPong = new PingPong(targetCore, driverCore)) {
      Bench bench = new Bench(settings, pingPong, out, Comparison::say);
      int figure = 0;
      for (Work work : wanted) {
        say("[" + ++figure + "/" + wanted.size() + "] " + work.title() + ", remora and " + other.name());
        summaries.addAll(bench.rounds(chosen, work, ours, other));
        // After each work, so that a run that is cut short leaves what it has.
        Files.writeString(out.resolve("results.md"), report.markdown());
        Files.writeString(out.resolve("results.json"), report.json());
      }
    }
  }

  private Contestant remora() {
    int port = Programs.freePort();
    String device = files == null ? "mem:" + mib + "MiB" : "file:" + file("remora");
    List<String> command = new ArrayList<>(List.of(program(), "target", "--device", device, "--nqn", NQN,
        "--listen", "127.0.0.1:" + port, "--cores", Integer.toString(targetCore)));
    command.addAll(words(targetOptions));
    return start("remora", command, port);
  }

  private Contestant peer(String peer) {
    int port = Programs.freePort();
    int equals = peer.indexOf('=');
    String name = peer.substring(0, equals);
    return start(name, Programs.shell(peer.substring(equals + 1), Map.of("CORE", targetCore, "MIB", mib, "ADDRESS",
        "127.0.0.1", "PORT", port, "NQN", NQN, "FILE", files == null ? "" : file(name).toString())), port);
  }

  /** A file of its own for a target, all of it written, so that nobody is measured on holes. */
  private Path file(String name) {
    Path folder = files == null ? out : files;
    Path file = folder.resolve("bench-" + name + ".img").toAbsolutePath();
    byte[] mebibyte = new byte[1 << 20];
    new SplittableRandom(1).nextBytes(mebibyte);
    try (OutputStream to = Files.newOutputStream(file)) {
      for (int i = 0; i < mib; i++) {
        to.write(mebibyte);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  private Contestant start(String name, List<String> command, int port) {
    say("starting " + name);
    Contestant started = new Contestant(name, Programs.pinned(targetCore, command), port, out.resolve(name + ".log"));
    Programs.pause(SETTLE_MS);
    started.tree().pause();
    return started;
  }

  private List<Driver> chosenDrivers() {
    List<Driver> chosen = new ArrayList<>();
    if (drivers.contains("remora")) {
      chosen.add(new Driver.Remora(program(), words(driverOptions)));
    }
    if (drivers.contains("perf") && !perf.isEmpty()) {
      chosen.add(new Driver.Perf("spdk_nvme_perf", perf));
    } else if (drivers.contains("perf") && onPath("spdk_nvme_perf")) {
      chosen
          .add(new Driver.Perf("spdk_nvme_perf", "spdk_nvme_perf -c [$CORE] --no-huge -s 256 -q $DEPTH -o $BYTES -w $RW"
              + " $MIX -a $RAMP -t $SECONDS -L -r \"trtype:TCP adrfam:IPv4 traddr:$ADDRESS trsvcid:$PORT subnqn:$NQN\""));
    } else if (drivers.contains("perf")) {
      say("no spdk_nvme_perf on the PATH and no --perf: remora bench is the only driver");
    }
    return chosen;
  }

  private Map<String, String> conditions() throws IOException {
    Map<String, String> conditions = new LinkedHashMap<>();
    conditions.put("date", LocalDate.now(ZoneOffset.UTC).toString());
    conditions.put("machine",
        Files.readString(Path.of("/proc/cpuinfo")).lines().filter(line -> line.startsWith("model name"))
            .findFirst().map(line -> line.substring(line.indexOf(':') + 2)).orElse("unknown") + ", "
            + Runtime.getRuntime().availableProcessors() + " processors; Linux "
            + Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip() + "; Java " + Runtime.version());
    conditions.put("processors",
        "target on " + targetCore + ", driver on " + driverCore + "; near: a cache line's round trip below "
            + Math.round(nearNs) + " ns before and after the run");
    conditions.put("device", mib + (files == null ? " MiB in memory" : " MiB, a file for each")
        + ", NVMe/TCP over loopback, one connection for I/O, no digests");
    conditions.put("runs",
        seconds + " s each after " + rampSeconds
            + " s of ramp, in rounds: each driver on each target; void when others use more than "
            + Math.round(otherPercent) + " % of the processors or these move; medians");
    if (!targetOptions.isEmpty() || !driverOptions.isEmpty()) {
      conditions.put("options", "remora target " + targetOptions + "; remora bench " + driverOptions);
    }
    return conditions;
  }

  /** The {@code remora} command; {@code bench/run} says where it is. */
  private static String program() {
    return System.getProperty("remora.program", "remora");
  }

  private static List<String> words(String options) {
    return options.isBlank() ? List.of() : List.of(options.strip().split(" +"));
  }

  private static boolean onPath(String program) {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      if (Files.isExecutable(Path.of(folder, program))) {
        return true;
      }
    }
    return false;
  }

  private static void say(String text) {
    System.err.println(text);
  }
}
