package io.remora.bench.iwarp;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.cli.load.PingPong;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench/iwarp}: the command line. Main thread. */
@Command(name = "bench/iwarp", sortOptions = false, description = {
  "Measures the throughput of RDMA writes and reads over the provider iwarp beside that of a plain TCP stream of the same loops and buffers,",
  "in turn, between two processes with a loop on a processor each. Prints a table. Exit code 1 when the bar is missed without checksums."})
final class IwarpStream implements Callable<Integer> {
  private static final double BAR = 0.8;
  private static final double WAITED_LIMIT = 0.05;
  private static final int TRIES_PER_PAIR = 10;
  private static final long WARM_UP_MIB = 4096;
  /** What iWARP gathers for one call. */
  private static final int GATHERED_BYTES = 1 << 20;
  private static final long LIMIT_S = 60;
  private static final Path CONGESTION = Path.of("/proc/sys/net/ipv4/tcp_congestion_control");

  @Option(names = "--work", split = ",", paramLabel = "LIST", description = "Only these, for example write-64k,read-1024k-crc (default: all).")
  List<String> works = List.of();

  @Option(names = "--pairs", paramLabel = "N", defaultValue = "5", description = "Pairs of runs for each figure (default: ${DEFAULT-VALUE}).")
  int pairs;

  @Option(names = "--mib", paramLabel = "N", defaultValue = "512", description = "MiB that each run moves, after an eighth of that to warm up (default: ${DEFAULT-VALUE}).")
  long mib;

  @Option(names = "--gather", description = "The stream moves 1 MiB by one call too, whatever the operations' length (default: as much as an operation).")
  boolean gather;

  @Option(names = "--near-ns", paramLabel = "N", defaultValue = "250", description = "A shorter round trip of a cache line means that the processors are near (default: ${DEFAULT-VALUE}).")
  double nearNs;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "Print this help.")
  boolean help;

  private IwarpStream() {}

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new IwarpStream()).execute(arguments));
  }

  /** One run: bytes per nanosecond, which is GB/s, and what was around it. */
  private record Run(double speed, double beforeNs, double afterNs, double waited) {
    /** Near, far, or null when that has changed or others were busy. */
    @Nullable
    Boolean near(double limitNs) {
      boolean before = beforeNs < limitNs;
      boolean after = afterNs < limitNs;
      return (waited > WAITED_LIMIT || (before != after)) ? null : before;
    }
  }

  /** Two runs under the same conditions. */
  private record Pair(double stream, double iwarp) {
    double ratio() {
      return iwarp / stream;
    }
  }

  @Override
  public Integer call() throws Exception {
    List<Work> wanted = Work.all().stream().filter(work -> works.isEmpty() || works.contains(work.name())).toList();
    if (wanted.isEmpty()) {
      throw new CommandLine.ParameterException(new CommandLine(this),
          "nothing to do; there are " + String.join(", ", Work.all().stream().map(Work::name).toList()));
    }
    boolean held = true;
    System.out.printf(Locale.ROOT, "%d at once, %d MiB each, congestion control %s, Linux %s, Java %s%n", Work.DEPTH,
        mib, Files.readString(CONGESTION).strip(),
        Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip(), Runtime.version());
    System.out.println("| work | processors | stream GB/s | iwarp GB/s | ratio, median | least to most | pairs |");
    System.out.println("|---|---|---|---|---|---|---|");
    try (Other other = new Other(1, javaOptions()); PingPong pingPong = new PingPong(0, 1)) {
      for (Work work : wanted) {
        held &= compare(other, pingPong, work) || work.crc();
      }
    }
    return held ? 0 : 1;
  }

  private static List<String> javaOptions() {
    String options = System.getenv().getOrDefault("REMORA_JAVA_OPTS", "").strip();
    return options.isEmpty() ? List.of() : Arrays.asList(options.split(" +"));
  }

  /** Takes pairs until enough of them count; whether the bar holds. */
  private boolean compare(Other other, PingPong pingPong, Work work) throws Exception {
    List<Pair> near = new ArrayList<>();
    List<Pair> far = new ArrayList<>();
    Work plain = work.overStream(gather ? GATHERED_BYTES : work.bytes());
    run(other, pingPong, plain, WARM_UP_MIB);
    run(other, pingPong, work, WARM_UP_MIB);
    int rejected = 0;
    for (int i = 0; i < pairs * TRIES_PER_PAIR && Math.max(near.size(), far.size()) < pairs; i++) {
      Run stream = run(other, pingPong, plain, mib);
      Run iwarp = run(other, pingPong, work, mib);
      Boolean distance = stream.near(nearNs);
      if (distance == null || !distance.equals(iwarp.near(nearNs))) {
        rejected++;
      } else {
        (distance ? near : far).add(new Pair(stream.speed, iwarp.speed));
      }
    }
    boolean isNear = near.size() >= far.size();
    List<Pair> counted = isNear ? near : far;
    if (counted.isEmpty()) {
      System.out.printf("| %s | – | – | – | – | – | 0, %d not counted |%n", work.name(), rejected);
      return false;
    }
    double[] ratios = counted.stream().mapToDouble(Pair::ratio).sorted().toArray();
    System.out.printf(Locale.ROOT, "| %s | %s | %.2f | %.2f | %.2f | %.2f to %.2f | %d, %d not counted |%n",
        work.name(),
        isNear ? "near" : "far", median(counted.stream().mapToDouble(Pair::stream).sorted().toArray()),
        median(counted.stream().mapToDouble(Pair::iwarp).sorted().toArray()), median(ratios), ratios[0],
        ratios[ratios.length - 1],
        ratios.length, rejected);
    return median(ratios) >= BAR;
  }

  private static double median(double[] sorted) {
    return sorted[sorted.length / 2];
  }

  private Run run(Other other, PingPong pingPong, Work work, long moved) throws Exception {
    double before = pingPong.roundTripNs();
    InetSocketAddress server = new InetSocketAddress(InetAddress.getLoopbackAddress(), other.serve(work));
    double speed;
    double waited;
    try (Loops loops = Other.loops(0)) {
      Loop loop = loops.get(0);
      CompletableFuture<Driver> made = new CompletableFuture<>();
      loop.execute(() -> made.complete(switch (work.carrier()) {
        case STREAM -> new StreamDriver(loop, work, server);
        case IWARP -> new RdmaDriver(loop, work, server);
      }));
      Driver driver = made.get(LIMIT_S, TimeUnit.SECONDS);
      driver.connected().get(LIMIT_S, TimeUnit.SECONDS);
      driver.move(moved << 17).get(LIMIT_S, TimeUnit.SECONDS);
      Waits began = Waits.now(other.handle());
      long ns = driver.move(moved << 20).get(LIMIT_S, TimeUnit.SECONDS);
      waited = Waits.now(other.handle()).since(began);
      speed = (double) (moved << 20) / ns;
    } finally {
      other.rest();
    }
    return new Run(speed, before, pingPong.roundTripNs(), waited);
  }
}
