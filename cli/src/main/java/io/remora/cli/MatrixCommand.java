package io.remora.cli;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.cli.load.Load;
import io.remora.cli.load.PingPong;
import io.remora.cli.load.Result;
import io.remora.cli.load.Workload;
import io.remora.cli.matrix.Cell;
import io.remora.cli.matrix.Ends;
import io.remora.cli.matrix.Outcome;
import io.remora.cli.matrix.Outcomes;
import io.remora.cli.terminal.Progress;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Table;
import io.remora.cli.terminal.Terminal;
import io.remora.verbs.DeviceInfo;
import io.remora.verbs.Provider;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code remora bench matrix}. */
@Command(name = "matrix", description = {
  "Measure NVMe over Fabrics in every combination of transport, pattern, block size, depth and loops.", "",
  "For each cell a target with a device in memory is started in a process of its own, the device is filled, and the load runs here; transports of the same work follow each other. With 'process' the load runs"
      + " in the process that has the device, without a transport. Loops are pinned where there are processors enough, the target's first."}, footer = {
        "",
        "Example:  remora bench matrix --transports tcp,shm --rw randread,randwrite --bs 4k --iodepth 1,32 \\",
        "              --loops 1 --runtime 5 --out results --json", ""})
final class MatrixCommand extends io.remora.cli.Command {
  private static final String NQN = "nqn.2026-01.io.remora:matrix";
  private static final int MAX_ROUNDS = 1000;
  /** A cache line's round trip below this says that two processors share a cache, in nanoseconds. */
  private static final double NEAR_NS = 250;
  private static final int FILL_BYTES = 128 << 10;
  private static final int FILL_DEPTH = 8;

  @Option(names = "--transports", paramLabel = "LIST", split = ",", description = "tcp, iwarp, shm, ibverbs (default: all that work here).")
  List<String> transports = List.of();

  @Option(names = "--rw", paramLabel = "LIST", split = ",", defaultValue = "randread,randwrite,read,write,randrw", description = "Patterns (default: ${DEFAULT-VALUE}).")
  List<Workload.Pattern> patterns = List.of();

  @Option(names = "--rwmixread", paramLabel = "PERCENT", defaultValue = "70", description = "The share of reads of randrw and rw (default: ${DEFAULT-VALUE}).")
  int readPercent;

  @Option(names = "--bs", paramLabel = "LIST", split = ",", converter = Sizes.Converter.class, defaultValue = "4k", description = "Block sizes (default: ${DEFAULT-VALUE}).")
  List<Long> blockSizes = List.of();

  @Option(names = "--iodepth", paramLabel = "LIST", split = ",", defaultValue = "1,32", description = "Requests in flight per loop (default: ${DEFAULT-VALUE}).")
  List<Integer> depths = List.of();

  @Option(names = "--loops", paramLabel = "LIST", split = ",", defaultValue = "1", description = "Loops of the load and of the target, up to the machine's processors (default: ${DEFAULT-VALUE}).")
  List<Integer> loopCounts = List.of();

  @Option(names = "--sampling", paramLabel = "LIST", split = ",", defaultValue = "host", description = "Where the load runs: host (another process than the target), process (default: ${DEFAULT-VALUE}).")
  List<String> samplings = List.of();

  @Option(names = "--ends", paramLabel = "LIST", split = ",", defaultValue = "poll,sleep", description = {
    "What both ends do when there is nothing to do. poll: poll for ever; adapt: poll for up to 50 us while that pays, as nodes do; sleep: sleep at once"
        + " (default: ${DEFAULT-VALUE})."})
  List<Ends> ends = List.of();

  @Option(names = "--size", paramLabel = "SIZE", converter = Sizes.Converter.class, defaultValue = "8m", description = "The size of the device (default: ${DEFAULT-VALUE}: small enough for the processor's cache, so that transports are measured and not memory).")
  long size;

  @Option(names = "--runtime", paramLabel = "TIME", converter = Converters.Time.class, defaultValue = "5", description = "How long to measure each cell (default: ${DEFAULT-VALUE} s).")
  long runtimeNs;

  @Option(names = "--ramp", paramLabel = "TIME", converter = Converters.Time.class, defaultValue = "6", description = "How long to run before, in which the JIT compiler gets ready (default: ${DEFAULT-VALUE} s).")
  long rampNs;

  @Option(names = "--rounds", paramLabel = "N", defaultValue = "1", description = {
    "How often to measure each cell, the transports of the same work in turn (default: ${DEFAULT-VALUE})."
        + " Of several rounds the middle one counts, of those with near processors that others left alone if there are any."})
  int rounds;

  @Option(names = "--out", paramLabel = "DIR", description = "Keep the results there, with a table and charts; a matrix that was stopped goes on where it was.")
  @Nullable
  Path out;

  @Override
  int run(Terminal terminal) throws InterruptedException {
    List<Cell> cells = cells();
    Outcomes outcomes = Outcomes.open(out, size, readPercent);
    long begin = System.nanoTime();
    try (Progress progress = new Progress(terminal, System::nanoTime, "matrix", cells.size())) {
      for (int i = 0; i < cells.size(); i++) {
        Cell cell = cells.get(i);
        progress.update(i, cell::toString);
        if (outcomes.rounds(cell) < roundOf(cells, i)) {
          outcomes.add(measure(cell));
        }
      }
    }
    outcomes.report();
    if (terminal.json()) {
      terminal.result(outcomes.json());
    } else {
      print(terminal, outcomes);
      terminal.note("measured in " + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin) + " s"
          + (out == null ? "" : "; table and charts are in " + out));
    }
    return 0;
  }

  /** How often the cell there stands in the list so far. */
  private static int roundOf(List<Cell> cells, int index) {
    return Collections.frequency(cells.subList(0, index + 1), cells.get(index));
  }

  /** In the order in which they are measured, a cell as often as there are rounds: transports innermost, so that what is compared is measured together. */
  private List<Cell> cells() {
    if (rounds < 1 || rounds > MAX_ROUNDS) {
      throw usage("--rounds " + rounds + ": 1 to " + MAX_ROUNDS);
    }
    List<Cell> cells = new ArrayList<>();
    List<String> carriers = carriers();
    int processors = Runtime.getRuntime().availableProcessors();
    for (Ends end : ends) {
      for (int loops : loopCounts) {
        if (loops < 1 || loops > processors) {
          throw usage("--loops " + loops + ": 1 to the " + processors + " processors of this machine");
        }
        for (Workload.Pattern pattern : patterns) {
          for (long blockBytes : blockSizes) {
            for (int depth : depths) {
              for (int round = 0; round < rounds; round++) {
                add(cells, carriers,
                    new Cell("", "", pattern.toString(), Math.toIntExact(blockBytes), depth, loops, end));
              }
            }
          }
        }
      }
    }
    cells.forEach(this::workload);
    return cells;
  }

  private void add(List<Cell> cells, List<String> carriers, Cell work) {
    for (String sampling : samplings) {
      switch (sampling) {
        case Cell.PROCESS -> cells.add(at(work, Cell.PROCESS, "none"));
        case Cell.HOST -> carriers.forEach(carrier -> cells.add(at(work, Cell.HOST, carrier)));
        default -> throw usage("--sampling " + sampling + ": host or process");
      }
    }
  }

  private static Cell at(Cell work, String sampling, String transport) {
    return new Cell(sampling, transport, work.rw(), work.blockBytes(), work.ioDepth(), work.loops(), work.ends());
  }

  private List<String> carriers() {
    if (transports.isEmpty()) {
      List<String> all = new ArrayList<>(List.of("tcp"));
      for (Provider provider : Providers.all()) {
        if (provider.unavailable() == null && provider.devices().stream().anyMatch(DeviceInfo::usable)) {
          all.add(provider.name());
        }
      }
      return all;
    }
    for (String transport : transports) {
      if (!transport.equals("tcp")) {
        try {
          Providers.device(Providers.find(transport));
        } catch (RemoraException e) {
          throw usage("--transports " + transport + ": " + e.getMessage());
        }
      }
    }
    return transports;
  }

  private Workload workload(Cell cell) {
    try {
      return new Workload(Workload.Pattern.valueOf(cell.rw().toUpperCase(Locale.ROOT)), readPercent, cell.blockBytes(),
          cell.ioDepth(),
          cell.loops(), 0, size, runtimeNs, rampNs, false, 1);
    } catch (RemoraException e) {
      throw usage(e.getMessage());
    }
  }

  private Outcome measure(Cell cell) throws InterruptedException {
    boolean alone = cell.sampling().equals(Cell.PROCESS);
    int processors = Runtime.getRuntime().availableProcessors();
    boolean pinned = cell.loops() * (alone ? 1 : 2) <= processors;
    List<Integer> targets = pinned ? IntStream.range(0, cell.loops()).boxed().toList() : List.of();
    int firstOwn = alone ? 0 : cell.loops();
    List<Integer> own = pinned ? IntStream.range(firstOwn, firstOwn + cell.loops()).boxed().toList() : List.of();
    long spinNs = cell.ends().spinNs();
    double before = alone || !pinned ? 0 : distance(targets.getFirst(), own.getFirst());
    Result result;
    CpuReadings cpu;
    if (alone) {
      cpu = new CpuReadings(() -> 0);
      result = load(cell, "mem:" + size, own, spinNs, cpu);
    } else {
      try (TargetProcess target = TargetProcess.start(targetArguments(cell, targets))) {
        cpu = new CpuReadings(target.cpuClock());
        result = load(cell, target.uri(), own, spinNs, cpu);
      }
    }
    if (!result.ok()) {
      throw new RemoraException(Status.INTERNAL, cell + ": " + String.join("; ", result.troubles()));
    }
    double after = alone || !pinned ? 0 : distance(targets.getFirst(), own.getFirst());
    Histogram latency = result.latencyNs();
    return new Outcome(cell, result.iops(), Results.percentile(latency, 50), Results.percentile(latency, 99),
        Results.percentile(latency, 99.9), result.cpuPerOperationUs(),
        cpu.targetNs() / 1e3 / Math.max(1, result.operations()),
        cpu.othersNs() / (double) processors / Math.max(1, result.elapsedNs()),
        alone || !pinned
            ? "unknown"
            : before < NEAR_NS != after < NEAR_NS ? "mixed" : before < NEAR_NS ? "near" : "far");
  }

  private List<String> targetArguments(Cell cell, List<Integer> cores) {
    List<String> arguments = new ArrayList<>(
        List.of("--device", "mem:" + size, "--nqn", NQN, "--listen", "127.0.0.1:0", "--spin-us",
            cell.ends().spinUs()));
    if (!cell.transport().equals("tcp")) {
      arguments.addAll(List.of("--transport", "rdma", "--provider", cell.transport()));
    }
    List<Integer> named = cores.isEmpty() ? IntStream.range(0, cell.loops()).boxed().toList() : cores;
    arguments.addAll(List.of("--cores", String.join(",", named.stream().map(String::valueOf).toList())));
    return arguments;
  }

  private Result load(Cell cell, String uri, List<Integer> cores, long spinNs, CpuReadings cpu)
      throws InterruptedException {
    try (Loops loops = Loops.start(new Loops.Config("matrix", cell.loops(), Loops.Backend.AUTO, spinNs, cores));
        OpenDevices.Opened opened = OpenDevices.open(DeviceUri.parse(uri), loops.all(), cell.ioDepth())) {
      BlockDevice device = opened.device();
      Result filled = run(new Load(device, loops.all(), fill(), null, () -> 0));
      return filled.ok() ? run(new Load(device, loops.all(), workload(cell), null, cpu)) : filled;
    }
  }

  private static Result run(Load load) throws InterruptedException {
    load.start();
    while (!load.await(TimeUnit.SECONDS.toNanos(1))) {
      // A signal ends the process; there is nothing else to do.
    }
    return load.result();
  }

  /** Once over all of the device: what was never written is read from nowhere, far faster than memory. */
  private Workload fill() {
    int blockBytes = (int) Math.min(FILL_BYTES, Long.lowestOneBit(size));
    return new Workload(Workload.Pattern.WRITE, 0, blockBytes, FILL_DEPTH, 1, 0, size, 0, 0, false, 1);
  }

  private static double distance(int one, int other) {
    try (PingPong game = new PingPong(one, other)) {
      return game.roundTripNs();
    }
  }

  private static void print(Terminal terminal, Outcomes outcomes) {
    Table table = new Table("LOAD", "TRANSPORT", "RW", ">BS", ">DEPTH", ">LOOPS", "ENDS", "CORES", ">OTHERS %", ">IOPS",
        ">P50 US",
        ">P99 US", ">HOST CPU US/IO",
        ">TARGET CPU US/IO");
    for (Outcome o : outcomes.all()) {
      Cell cell = o.cell();
      table.row(cell.sampling(), cell.transport(), cell.rw(), Sizes.brief(cell.blockBytes()), cell.ioDepth(),
          cell.loops(),
          cell.ends(), o.cores(), String.format(Locale.ROOT, "%.0f", 100 * o.others()),
          Results.count(o.iops()),
          String.format(Locale.ROOT, "%.1f", o.p50Us()),
          String.format(Locale.ROOT, "%.1f", o.p99Us()), String.format(Locale.ROOT, "%.2f", o.hostCpuUs()),
          String.format(Locale.ROOT, "%.2f", o.targetCpuUs()));
    }
    terminal.table(table);
  }
}
