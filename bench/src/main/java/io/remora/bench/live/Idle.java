package io.remora.bench.live;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.cli.load.Load;
import io.remora.cli.load.Result;
import io.remora.cli.load.Workload;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.tcp.HostTcp;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code bench/idle}: the command line. Main thread. */
@Command(name = "bench/idle", sortOptions = false, description = {
  "Measures what 'remora up' costs: from its start to the first I/O served, processor time and memory with one host connected that does"
      + " nothing, and what its loops allocate under load.",
  "Prints one JSON object. Exit code 1 when a bar is missed."})
final class Idle implements Callable<Integer> {
  private static final double CPU_BAR = 0.01;
  private static final double START_BAR_S = 1;
  private static final long MEMORY_BAR = 300L << 20;
  /** Less than the smallest object for each hundredth request is what the loop does besides, such as keep-alive. */
  private static final double ALLOCATION_BAR = 0.16;
  private static final long VOLUME_BYTES = 256L << 20;
  private static final long ATTEMPT_MS = 2;

  @Option(names = "--idle", paramLabel = "S", defaultValue = "20", description = "Seconds of idling (default: ${DEFAULT-VALUE}).")
  int idleSeconds;

  @Option(names = "--load", paramLabel = "S", defaultValue = "12", description = "Seconds of load (default: ${DEFAULT-VALUE}).")
  int loadSeconds;

  @Option(names = "--starts", paramLabel = "N", defaultValue = "3", description = "How often to start the node; the median counts (default: ${DEFAULT-VALUE}).")
  int starts;

  @Option(names = "--folder", paramLabel = "DIR", description = "Where its data goes; a folder below it is made and removed (default: the one for temporary files).")
  Path folder = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "Print this help.")
  boolean help;

  private final String program = System.getProperty("remora.program", "remora");

  private Idle() {}

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Idle()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path own = Files.createTempDirectory(folder, "remora-idle-");
    ObjectNode result = JsonNodeFactory.instance.objectNode();
    try (Loops loops = Loops.start(new Loops.Config("host", 1, Loops.Backend.AUTO, 50_000, List.of()))) {
      int port = freePort();
      HostOptions target = prepare(own, port);
      double[] seconds = new double[starts];
      for (int i = 0; i < starts - 1; i++) {
        say("start " + (i + 1) + " of " + starts);
        try (NodeProcess node = new NodeProcess(program, own, port, List.of())) {
          First first = firstIo(node, loops, target);
          seconds[i] = first.seconds;
          first.controller.close().join();
        }
      }
      say("start " + starts + " of " + starts);
      try (NodeProcess node = new NodeProcess(program, own, port, List.of())) {
        First first = firstIo(node, loops, target);
        seconds[starts - 1] = first.seconds;
        Arrays.sort(seconds);
        result.putObject("start_to_first_io_s").put("value", seconds[starts / 2]).put("bar", START_BAR_S);
        idle(node, result);
        allocation(node, own, loops, first.controller, result);
        first.controller.close().join();
      }
    } finally {
      remove(own);
    }
    boolean passed = true;
    for (var bar : result) {
      boolean reached = bar.get("value").asDouble() < bar.get("bar").asDouble();
      ((ObjectNode) bar).put("passed", reached);
      passed &= reached;
    }
    System.out.println(result.toPrettyString());
    return passed ? 0 : 1;
  }

  /** A node with a pool and a published volume, stopped again. */
  private HostOptions prepare(Path own, int port) throws IOException {
    say("making a pool and a volume");
    try (NodeProcess node = new NodeProcess(program, own, port,
        List.of("--pool", "main=" + own.resolve("pool.img") + ":1GiB"))) {
      node.awaitReady();
      node.ask("volume", "create", "data", "--size", Long.toString(VOLUME_BYTES));
      String nqn = node.ask("volume", "publish", "data").findValue("nqn").asText();
      return HostOptions.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), nqn);
    }
  }

  /** How long the first read took to end, from the node's start, and the connection that it came by. */
  private record First(double seconds, HostController controller) {}

  /** The host tries to connect again and again from the node's start on. */
  private static First firstIo(NodeProcess node, Loops loops, HostOptions target) {
    while (true) {
      try {
        HostController controller = HostController.connect(new HostTcp(), loops.all(), target).join();
        read(loops.get(0), controller.namespaces().getFirst());
        return new First((System.nanoTime() - node.startedNs()) / 1e9, controller);
      } catch (CompletionException e) {
        NodeProcess.pause(ATTEMPT_MS);
      }
    }
  }

  private static void read(Loop loop, BlockDevice device) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      BlockChannel channel = device.open(loop);
      IoRequest request = new IoRequest(ended -> {
        channel.close();
        if (ended.status.isOk()) {
          done.complete(null);
        } else {
          done.completeExceptionally(new IllegalStateException("the first read: " + ended.status));
        }
      });
      request.prepare(IoRequest.Op.READ, 0, 4096).sgl.add(Arena.ofAuto().allocate(4096, 4096), 0, 4096);
      channel.submit(request);
    });
    done.join();
  }

  private void idle(NodeProcess node, ObjectNode result) throws IOException {
    NodeProcess.pause(2000);
    say("idle for " + idleSeconds + " s, one host connected");
    long cpuNs = node.cpuNs();
    long fromNs = System.nanoTime();
    NodeProcess.pause(idleSeconds * 1000L);
    double share = (double) (node.cpuNs() - cpuNs) / (System.nanoTime() - fromNs);
    result.putObject("idle_cpu_of_a_core").put("value", share).put("bar", CPU_BAR);
    result.putObject("idle_resident_bytes").put("value", node.residentBytes()).put("bar", MEMORY_BAR);
  }

  private void allocation(NodeProcess node, Path own, Loops loops, HostController controller, ObjectNode result)
      throws IOException, InterruptedException {
    say("load for " + loadSeconds + " s: 4 KiB, 70 % random reads, depth 32");
    BlockDevice device = controller.namespaces().getFirst();
    // All of the volume has its space before: only then it is the steady state.
    run(loops, device, new Workload(Workload.Pattern.WRITE, 0, 128 << 10, 8, 1, 0, VOLUME_BYTES, 0, 0, false, 1));
    Allocation allocation = new Allocation(node.pid(), own);
    allocation.start();
    Result load = run(loops, device, new Workload(Workload.Pattern.RANDRW, 70, 4 << 10, 32, 1, 0, VOLUME_BYTES,
        loadSeconds * 1_000_000_000L, 0, false, 1));
    double bytes = allocation.stop("node-").values().stream().mapToDouble(Double::doubleValue).sum();
    result.putObject("allocated_bytes_per_io").put("value", bytes / load.iops()).put("bar", ALLOCATION_BAR)
        .put("iops", Math.round(load.iops())).put("bytes_per_s", Math.round(bytes));
  }

  private static Result run(Loops loops, BlockDevice device, Workload workload) throws InterruptedException {
    Load load = new Load(device, loops.all(), workload, null, () -> 0);
    load.start();
    while (!load.await(1_000_000_000L)) {
      // It ends by itself.
    }
    Result result = load.result();
    if (!result.ok()) {
      throw new IllegalStateException("the load failed: " + result.troubles());
    }
    return result;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void remove(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  private static void say(String text) {
    System.err.println(text);
  }
}
