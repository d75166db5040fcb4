package io.remora.cli;

import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockDevice;
import io.remora.cli.load.Load;
import io.remora.cli.load.Result;
import io.remora.cli.load.Workload;
import io.remora.cli.terminal.Progress;
import io.remora.cli.terminal.Sizes;
import io.remora.cli.terminal.Terminal;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora bench}. */
@Command(name = "bench", subcommands = MatrixCommand.class, description = {
  "Measure a device, with fio's names and meanings.", "",
  "It is a closed loop: a request is sent when one has come back, and its latency runs from submission to completion."
      + " While the device stalls at most iodepth requests see it, so percentiles understate what independent clients"
      + " would see (coordinated omission). Several jobs work on equal parts of the range."}, footer = {"",
        "Examples:  remora bench mem:1g --rw randread --iodepth 32",
        "           remora bench nvmf+tcp://127.0.0.1:4420/nqn.2026-01.io.remora:... --rw randrw --rwmixread 70",
        "           remora bench file:/tmp/test:256m --rw randwrite --verify crc32c", ""})
final class BenchCommand extends io.remora.cli.Command {
  private static final long POLL_NS = 100_000_000L;

  /** What written data can be verified with. */
  enum Verify {
    crc32c
  }

  @Parameters(paramLabel = "URI", arity = "0..1", defaultValue = "", description = "nvmf+tcp://HOST:PORT/NQN, nvmf+rdma://HOST:PORT/NQN?provider=NAME, mem:SIZE, null:SIZE or file:PATH[:SIZE].")
  String uri = "";

  @Option(names = {"--rw",
    "--readwrite"}, paramLabel = "PATTERN", defaultValue = "randread", description = "read, write, rw, randread, randwrite or randrw (default: ${DEFAULT-VALUE}).")
  Workload.Pattern pattern = Workload.Pattern.RANDREAD;

  @Option(names = "--rwmixread", paramLabel = "PERCENT", defaultValue = "50", description = "The share of reads of rw and randrw (default: ${DEFAULT-VALUE}).")
  int readPercent;

  @Option(names = {"--bs",
    "--blocksize"}, paramLabel = "SIZE", defaultValue = "4k", converter = Sizes.Converter.class, description = "The size of a request (default: ${DEFAULT-VALUE}).")
  long blockBytes;

  @Option(names = "--iodepth", paramLabel = "N", defaultValue = "1", description = "Requests in flight, per job (default: ${DEFAULT-VALUE}).")
  int ioDepth;

  @Option(names = "--numjobs", paramLabel = "N", defaultValue = "1", description = "Jobs, each on a loop of its own (default: ${DEFAULT-VALUE}).")
  int jobs;

  @Option(names = "--runtime", paramLabel = "TIME", converter = Converters.Time.class, description = "How long: seconds, or with ms, s, m, h. 0: once over the range (default: 10, and 0 with --verify).")
  @Nullable
  Long runtimeNs;

  @Option(names = {"--ramp-time",
    "--ramp_time"}, paramLabel = "TIME", converter = Converters.Time.class, defaultValue = "0", description = "How long to run before measuring (default: ${DEFAULT-VALUE}).")
  long rampNs;

  @Option(names = "--offset", paramLabel = "SIZE", defaultValue = "0", converter = Sizes.Converter.class, description = "Where on the device the range begins (default: ${DEFAULT-VALUE}).")
  long offset;

  @Option(names = "--size", paramLabel = "SIZE", defaultValue = "0", converter = Sizes.Converter.class, description = "How long the range is (default: to the end of the device).")
  long size;

  @Option(names = "--verify", paramLabel = "crc32c", description = {
    "Write blocks that carry their place, number and checksum, and read all of them back at the end; with read and"
        + " randread check what an earlier run has written. Wrong data ends the run with exit code 1."})
  @Nullable
  Verify verify;

  @Option(names = "--randseed", paramLabel = "N", defaultValue = "1", description = "Decides offsets and patterns (default: ${DEFAULT-VALUE}).")
  long seed;

  @Mixin
  LoopOptions loopOptions;

  @Override
  int run(Terminal terminal) throws InterruptedException {
    if (uri.isEmpty()) {
      throw usage("a URI is missing, or the command matrix");
    }
    DeviceUri target = parse();
    try (Loops loops = loopOptions.start("bench", jobs);
        OpenDevices.Opened opened = OpenDevices.open(target, loops.all(), ioDepth)) {
      BlockDevice device = opened.device();
      Workload workload = workload(device);
      Load load;
      try {
        load = new Load(device, loops.all(), workload, null, CpuClock.own());
      } catch (RemoraException e) {
        throw e.status() == Status.INVALID ? usage(e.getMessage()) : e;
      }
      load.start();
      Result result = await(terminal, workload, load);
      if (terminal.json()) {
        terminal.result(Results.full(uri, workload, result));
      } else {
        Results.print(terminal, uri, workload, result);
      }
      for (String trouble : result.troubles()) {
        terminal.note("remora: " + trouble);
      }
      return result.ok() ? 0 : Remora.FAILED;
    }
  }

  private DeviceUri parse() {
    try {
      return DeviceUri.parse(uri);
    } catch (RemoraException e) {
      throw usage(e.getMessage());
    }
  }

  private Workload workload(BlockDevice device) {
    long end = size == 0 ? device.sizeBytes() - offset : size;
    Long chosen = runtimeNs;
    long runtime = chosen == null ? verify == null ? TimeUnit.SECONDS.toNanos(10) : 0 : chosen;
    try {
      return new Workload(pattern, readPercent, Math.toIntExact(blockBytes), ioDepth, jobs, offset, end, runtime,
          rampNs,
          verify != null, seed);
    } catch (RemoraException | ArithmeticException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  /** Waits for the end of {@code load} and shows meanwhile how it is doing. */
  static Result await(Terminal terminal, Workload workload, Load load) throws InterruptedException {
    String label = workload.pattern() + " bs=" + Sizes.brief(workload.blockBytes()) + " iodepth=" + workload.ioDepth();
    long totalNs = workload.rampNs() + workload.runtimeNs();
    long total = workload.runtimeNs() > 0 ? totalNs : workload.blocks();
    long beganNs = System.nanoTime();
    try (Progress progress = new Progress(terminal, System::nanoTime, label, total)) {
      Load.Sample before = load.sample();
      long beforeNs = beganNs;
      while (!load.await(POLL_NS)) {
        Load.Sample sample = load.sample();
        long nowNs = System.nanoTime();
        long done = workload.runtimeNs() > 0 ? nowNs - beganNs : sample.reads() + sample.writes();
        String text = rate(before, sample, nowNs - beforeNs, workload.blockBytes());
        progress.update(Math.min(done, total), () -> text);
        before = sample;
        beforeNs = nowNs;
      }
    }
    return load.result();
  }

  private static String rate(Load.Sample before, Load.Sample now, long elapsedNs, int blockBytes) {
    long ios = now.reads() + now.writes() - before.reads() - before.writes();
    if (ios <= 0) {
      return now.verifiedBytes() > before.verifiedBytes() ? "verifying, " + Sizes.format(now.verifiedBytes()) : "";
    }
    double perSecond = ios * 1e9 / elapsedNs;
    return String.format(Locale.ROOT, "%s IOPS, %s/s", Results.count(perSecond),
        Sizes.format((long) (perSecond * blockBytes)));
  }
}
