package io.remora.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.Addresses;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.cli.load.Load;
import io.remora.cli.load.Result;
import io.remora.cli.load.Workload;
import io.remora.cli.load.Workload.Pattern;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import io.remora.engine.DiskChoice;
import io.remora.engine.PublicationInfo;
import io.remora.engine.VolumeInfo;
import io.remora.engine.rpc.ControlClient;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.tcp.HostTcp;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code remora quickstart}: the whole way, once, on this machine. */
@Command(name = "quickstart", description = {
  "Try everything once on this machine, in less than a minute: no root, no other server,"
      + " temporary data.",
  "", "Starts a node, makes a pool and a volume, publishes it over NVMe/TCP on the loopback, connects with"
      + " Remora's own host, writes and verifies data, kills the node with SIGKILL in the middle of writes, starts it again,"
      + " verifies every block, and measures."}, footer = {"", "Example:  remora quickstart --keep", ""})
final class QuickstartCommand extends io.remora.cli.Command {
  private static final long POOL_BYTES = 2L << 30;
  private static final long VOLUME_BYTES = 1L << 30;
  private static final long DATA_BYTES = 128L << 20;
  private static final int DATA_BLOCK = 32 << 10;
  private static final int DATA_DEPTH = 16;
  private static final long CRASH_RUN_NS = TimeUnit.SECONDS.toNanos(3);
  private static final long CRASH_AFTER_NS = TimeUnit.SECONDS.toNanos(1);
  private static final long MEASURE_NS = TimeUnit.SECONDS.toNanos(2);
  private static final long RAMP_NS = TimeUnit.SECONDS.toNanos(1);
  private static final String POOL = "main";
  private static final String VOLUME = "demo";

  /** One line of the table. */
  private record Measured(Workload workload, Result result) {}

  @Option(names = "--keep", description = "Leave the node running, and its data, and say how to stop it.")
  boolean keep;

  private @Nullable Path folder;
  private @Nullable Spawned node;
  private boolean kept;
  private long verifiedBytes;
  private int restarts;

  @Override
  int run(Terminal terminal) throws Exception {
    Thread cleanup = new Thread(this::cleanUp, "cleanup");
    Runtime.getRuntime().addShutdownHook(cleanup);
    try {
      play(terminal);
      return 0;
    } catch (RemoraException e) {
      if (terminal.json()) {
        terminal.result(summary(false, List.of()));
      }
      throw e;
    } finally {
      cleanUp();
    }
  }

  private void play(Terminal terminal) throws IOException, InterruptedException {
    String temporary = System.getenv().getOrDefault("TMPDIR", System.getProperty("java.io.tmpdir"));
    Path made = Files.createTempDirectory(Path.of(temporary), "remora-quickstart-");
    folder = made;
    Path data = made.resolve("node");
    InetSocketAddress address = freeAddress();
    String at = Addresses.format(address);
    step(terminal, "a node in a process of its own, its data in " + data);
    Spawned started = new Spawned(data, made.resolve("node.log"), List.of("--listen", at), !keep);
    node = started;
    VolumeInfo volume;
    try (ControlClient control = new ControlClient(data)) {
      step(terminal, "a pool of " + Sizes.format(POOL_BYTES) + " on a file, and in it a thin volume of "
          + Sizes.format(VOLUME_BYTES));
      control.createPool(POOL, List.of(new DiskChoice(made.resolve("main.pool"), POOL_BYTES)), 0, false);
      control.createVolume(POOL, VOLUME, UUID.randomUUID(), VOLUME_BYTES, false);
      volume = control.publishVolume(VOLUME, null, List.of());
    }
    PublicationInfo publication = java.util.Objects.requireNonNull(volume.publication());
    step(terminal, "published as " + Shapes.uri(publication));
    List<Measured> measured;
    try (Loops loops = Loops.start(Loops.Config.of("quickstart", 1));
        HostSession host = HostSession.connect(new HostTcp(), loops.all(),
            HostOptions.of(address, publication.nqn()).withQueues(1, 128), Optional.empty())) {
      writeKillVerify(terminal, started, loops, host);
      measured = measure(terminal, started, loops, host);
    }
    table(terminal, measured);
    next(terminal, started, data, publication);
    if (terminal.json()) {
      terminal.result(summary(true, measured));
    }
  }

  /** Writes, kills the node while it writes on, and reads everything back from the node's next life. */
  private void writeKillVerify(Terminal terminal, Spawned started, Loops loops, HostSession host)
      throws InterruptedException {
    Load.Memory memory = new Load.Memory();
    Workload once = new Workload(Pattern.RANDWRITE, 0, DATA_BLOCK, DATA_DEPTH, 1, 0, DATA_BYTES, 0, 0, true, 1);
    step(terminal, "our host has connected: writing " + Sizes.format(DATA_BYTES) + " and reading it back");
    run(terminal, loops, host, once, memory);

    Workload crash = new Workload(Pattern.RANDWRITE, 0, DATA_BLOCK, DATA_DEPTH, 1, 0, DATA_BYTES, CRASH_RUN_NS, 0, true,
        1);
    step(terminal, "writing on, and SIGKILL to the node in the middle of it");
    Load load = new Load(host.device(), loops.all(), crash, memory, () -> 0);
    load.start();
    if (!load.await(CRASH_AFTER_NS)) {
      started.kill();
      restarts++;
      step(terminal, "starting it again; the host has held its requests and goes on");
      started.restart();
    }
    Result result = BenchCommand.await(terminal, crash, load);
    verifiedBytes += result.verifiedBytes();
    check(result);
    if (restarts == 0) {
      throw new RemoraException(Status.INTERNAL, "the writes ended before the node could be killed");
    }
    step(terminal, "every block holds what was written last: " + Sizes.format(result.verifiedBytes()) + " read back");
  }

  private List<Measured> measure(Terminal terminal, Spawned started, Loops loops, HostSession host)
      throws InterruptedException {
    List<Workload> workloads = List.of(timed(Pattern.RANDREAD, 4 << 10, 1), timed(Pattern.RANDREAD, 4 << 10, 32),
        timed(Pattern.RANDWRITE, 4 << 10, 1), timed(Pattern.RANDWRITE, 4 << 10, 32), timed(Pattern.READ, 128 << 10, 8),
        timed(Pattern.WRITE, 128 << 10, 8));
    step(terminal, "measuring, " + workloads.size() + " times " + TimeUnit.NANOSECONDS.toSeconds(MEASURE_NS) + " s");
    List<Measured> measured = new ArrayList<>();
    for (Workload workload : workloads) {
      Load load = new Load(host.device(), loops.all(), workload, null, started.cpuClock());
      load.start();
      Result result = BenchCommand.await(terminal, workload, load);
      check(result);
      measured.add(new Measured(workload, result));
    }
    return measured;
  }

  private void run(Terminal terminal, Loops loops, HostSession host, Workload workload, Load.Memory memory)
      throws InterruptedException {
    Load load = new Load(host.device(), loops.all(), workload, memory, () -> 0);
    load.start();
    Result result = BenchCommand.await(terminal, workload, load);
    verifiedBytes += result.verifiedBytes();
    check(result);
  }

  private static Workload timed(Pattern pattern, int blockBytes, int depth) {
    return new Workload(pattern, 50, blockBytes, depth, 1, 0, DATA_BYTES, MEASURE_NS, RAMP_NS, false, 1);
  }

  private static void check(Result result) {
    if (!result.ok()) {
      throw new RemoraException(Status.CORRUPT, String.join("; ", result.troubles()));
    }
  }

  private static void table(Terminal terminal, List<Measured> measured) {
    Table table = new Table("TRANSPORT", "RW", ">BS", ">IODEPTH", ">IOPS", ">THROUGHPUT", ">p50 us", ">p99 us",
        ">p99.9 us", ">NODE CPU us/IO");
    for (Measured one : measured) {
      Histogram latency = one.result.latencyNs();
      table.row("tcp", one.workload.pattern(), Sizes.brief(one.workload.blockBytes()), one.workload.ioDepth(),
          Results.count(one.result.iops()), Sizes.format((long) one.result.bytesPerSecond()) + "/s",
          number(Results.percentile(latency, 50)), number(Results.percentile(latency, 99)),
          number(Results.percentile(latency, 99.9)), number(one.result.cpuPerOperationUs()));
    }
    terminal.line("");
    terminal.table(table);
    terminal.line("(one connection on the loopback; node and host share this machine's "
        + Runtime.getRuntime().availableProcessors() + " CPUs)");
  }

  private void next(Terminal terminal, Spawned started, Path data, PublicationInfo publication) {
    terminal.line("");
    if (keep) {
      kept = true;
      terminal.line("The node runs on, with its data in " + folder + ". What to type next:");
      terminal.line("  sudo " + Shapes.connect(publication) + "   # on this machine: a /dev/nvmeXn1 appears");
      terminal.line("  remora volume list --data " + data);
      terminal.line("  remora bench " + Shapes.uri(publication) + " --rw randread --iodepth 32");
      terminal.line("  kill " + started.handle().pid() + " && rm -r " + folder + "   # stops it and removes its data");
      return;
    }
    terminal.line("All of it was temporary and is gone. What to type next:");
    terminal.line("  remora up --pool main=$HOME/main.pool:10GiB &       # a node that stays");
    terminal.line("  remora volume create data --size 5GiB && remora volume publish data");
    terminal.line("  sudo modprobe nvme-tcp && sudo nvme connect -t tcp -a 127.0.0.1 -s 4420 -n "
        + publication.nqn().replaceFirst("[^:]*$", "") + "...   # 'volume publish' prints the line");
    terminal.line("  remora quickstart --keep                            # the same again, with the node left running");
  }

  private ObjectNode summary(boolean ok, List<Measured> measured) {
    ObjectNode node = Terminal.object().put("ok", ok).put("bytes_verified", verifiedBytes).put("restarts", restarts);
    ArrayNode results = node.putArray("results");
    for (Measured one : measured) {
      Histogram latency = one.result.latencyNs();
      ObjectNode result = results.addObject().put("transport", "tcp").put("rw", one.workload.pattern().toString())
          .put("bs", one.workload.blockBytes()).put("iodepth", one.workload.ioDepth())
          .put("iops", Results.round(one.result.iops(), 1));
      result.putObject("lat_us").put("p50", Results.percentile(latency, 50))
          .put("p99", Results.percentile(latency, 99)).put("p99_9", Results.percentile(latency, 99.9));
      result.put("cpu_us_per_io", Results.round(one.result.cpuPerOperationUs(), 2));
    }
    return node;
  }

  private static void step(Terminal terminal, String text) {
    if (terminal.json()) {
      terminal.note("quickstart: " + text);
    } else {
      terminal.line("* " + text);
    }
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.0f" : "%.1f", value);
  }

  private static InetSocketAddress freeAddress() throws IOException {
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
    try (ServerSocket socket = new ServerSocket(0, 1, loopback)) {
      return new InetSocketAddress(loopback, socket.getLocalPort());
    }
  }

  /** Ends the node and removes its data, unless both shall stay; once. */
  private synchronized void cleanUp() {
    Spawned running = node;
    Path made = folder;
    if (kept || made == null) {
      return;
    }
    if (running != null) {
      running.close();
    }
    try (Stream<Path> all = Files.walk(made)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      Terminal.system(false).note("remora: cannot remove " + made + ": " + e);
    }
    folder = null;
  }
}
