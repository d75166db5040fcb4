package io.remora.peers;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** NVMe/RDMA with the Linux kernel at the other end: over soft iWARP with ours outside of the guest, and over soft RoCE and soft iWARP with ours inside, through libibverbs. */
@NeedsGuest
class LinuxNvmeRdmaPeer {
  private static final String NQN = "nqn.2026-01.io.remora.test:rdma";
  private static final long BYTES = 64L << 20;

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void servesTheKernelOverIwarp(String kernel) throws IOException {
    Path folder = Files.createTempDirectory("remora-rdma-");
    int port = Processes.freePort();
    List<String> arguments = List.of("target", "--device", "file:" + folder.resolve("disk") + ":" + BYTES, "--nqn", NQN,
        "--listen",
        "127.0.0.1:" + port, "--transport", "rdma", "--provider", "iwarp");
    try (RemoraProcess target = new RemoraProcess("rdma-target", arguments, Pattern.compile("^ready: "))) {
      Map<String, String> environment = Map.of("ADDRESS", "10.0.2.2", "PORT", Integer.toString(port), "NQN", NQN,
          "BYTES",
          Long.toString(BYTES), "TRANSPORT", "rdma");
      Map<String, Guest.Answer> answers = Map.of("kill", words -> {
        target.kill();
        return "killed";
      }, "restart", words -> {
        target.restart();
        return "started again";
      });
      Guest.Config config = new Guest.Config("rdma-host-" + kernel, kernel, List.of("--smp", "2"),
          Duration.ofMinutes(5));
      try (Guest guest = new Guest(config, "rdma-host.sh", environment, answers)) {
        guest.finish(13);
      }
      assertThat(target.terminate()).as("exit code after SIGTERM").isZero();
    } finally {
      Processes.deleteTree(folder);
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void usesTheKernelsTargetOverIwarp(String kernel) throws InterruptedException {
    int port = Processes.freePort();
    BlockingQueue<String> orders = new ArrayBlockingQueue<>(16);
    Map<String, Guest.Answer> answers = Map.of("next", words -> orders.poll(140, TimeUnit.SECONDS));
    Guest.Config config = new Guest.Config("rdma-target-" + kernel, kernel,
        List.of("--smp", "2", "--fwd", "tcp:" + port + ":4420"),
        Duration.ofMinutes(5));
    try (Guest guest = new Guest(config, "rdma-target.sh", Map.of("NQN", NQN), answers)) {
      assertThat(guest.output().await(Pattern.compile("^ok nvmet exports"), 0, Duration.ofSeconds(90)))
          .as("the guest said\n%s", guest.output().tail(30)).isNotNull();
      verified(port, "", "--bs", "4k", "--rw", "randrw", "--iodepth", "16", "--size", "4m");
      verified(port, "", "--bs", "512", "--rw", "randwrite", "--iodepth", "32", "--size", "512k");
      verified(port, "&queues=2&depth=16", "--bs", "64k", "--rw", "randrw", "--iodepth", "16", "--numjobs", "2",
          "--size", "16m");
      verified(port, "", "--bs", "1m", "--rw", "write", "--iodepth", "4", "--size", "16m");
      recovers(port, guest, orders);
      orders.put("done");
      guest.finish(4);
    }
  }

  private static void recovers(int port, Guest guest, BlockingQueue<String> orders) throws InterruptedException {
    List<String> arguments = arguments(port, "&kato=2", "--bs", "4k", "--rw", "randrw", "--iodepth", "4", "--size",
        "8m", "--runtime", "20");
    try (RemoraProcess run = new RemoraProcess("rdma-recovery", arguments, Pattern.compile(" [1-9][0-9]?% "))) {
      order(guest, orders, "break", "the target ends all connections");
      order(guest, orders, "mend", "the target is back");
      assertThat(run.awaitEnd(Duration.ofMinutes(2)))
          .as("exit code of the interrupted run, which said\n%s", run.output().tail(20)).isZero();
      run.output().join();
      JsonNode said = clean(Node.parse(String.join("\n", run.output().lines())));
      assertThat(said.at("/lat_us/max").asDouble()).as("the longest wait in microseconds: the run was interrupted")
          .isGreaterThan(1_000_000);
    }
  }

  private static void order(Guest guest, BlockingQueue<String> orders, String what, String reported)
      throws InterruptedException {
    int from = guest.output().lines().size();
    orders.put(what);
    assertThat(
        guest.output().await(Pattern.compile("^(ok|FAIL) " + Pattern.quote(reported)), from, Duration.ofMinutes(1)))
        .as("'%s' is reported; the guest said\n%s", reported, guest.output().tail(30)).isNotNull();
  }

  private static List<String> arguments(int port, String parameters, String... options) {
    List<String> arguments = new ArrayList<>(
        List.of("bench", "nvmf+rdma://127.0.0.1:" + port + "/" + NQN + "?provider=iwarp" + parameters, "--verify",
            "crc32c", "--json"));
    arguments.addAll(List.of(options));
    return arguments;
  }

  private static void verified(int port, String parameters, String... options) {
    List<String> arguments = arguments(port, parameters, options);
    RemoraProcess.Result result = RemoraProcess.run(Duration.ofMinutes(2), arguments.toArray(String[]::new));
    assertThat(result.exitCode()).as("remora %s:\n%s%s", arguments, result.stdout(), result.stderr()).isZero();
    clean(Node.parse(result.stdout()));
    System.out.println("  ok   our host: " + String.join(" ", options));
  }

  private static JsonNode clean(JsonNode said) {
    assertThat(said.path("verified_bytes").asLong()).as("verified bytes of %s", said).isPositive();
    assertThat(said.path("errors")).as("errors of %s", said).isEmpty();
    return said;
  }

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void worksWithTheKernelOverRoce(String kernel) {
    inTheGuest(kernel, "rxe", "RoCEv2", "roce-v2");
  }

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void worksWithTheKernelOverSoftIwarp(String kernel) {
    inTheGuest(kernel, "siw", "iWARP", "iwarp");
  }

  private static void inTheGuest(String kernel, String kind, String fabric, String type) {
    List<String> options = new ArrayList<>(
        List.of("--smp", "2", "--mem", "2048", "--java", System.getProperty("java.home")));
    String inside = GuestClassPath.share(options);
    Guest.Config config = new Guest.Config("rdma-" + kind + "-" + kernel, kernel, options, Duration.ofMinutes(5));
    Map<String, String> environment = Map.of("NQN", NQN, "CLASS_PATH", inside, "KIND", kind, "FABRIC", fabric, "TYPE",
        type);
    try (Guest guest = new Guest(config, "rdma-ibverbs.sh", environment, Map.of())) {
      guest.finish(3);
    }
  }
}
