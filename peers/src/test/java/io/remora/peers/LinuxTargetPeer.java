package io.remora.peers;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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

/** Our host against the kernel's own NVMe/TCP target: data verified, with and without digests, over broken connections. */
@NeedsGuest
class LinuxTargetPeer {
  private static final String NQN = "nqn.2026-01.io.remora.test:kernel";

  /** One run of {@code remora bench} after the other against one guest. */
  private record Target(int port, BlockingQueue<String> orders, Guest guest) {
    /** Has the guest do {@code what} and waits until it has. */
    void order(String what, String reported) throws InterruptedException {
      int from = guest.output().lines().size();
      orders.put(what);
      assertThat(guest.output().await(Pattern.compile("^(ok|FAIL) " + Pattern.quote(reported)), from,
          Duration.ofMinutes(1)))
          .as("'%s' is reported; the guest said\n%s", reported, guest.output().tail(30)).isNotNull();
    }

    List<String> arguments(String parameters, String... options) {
      List<String> arguments = new ArrayList<>(
          List.of("bench", "nvmf+tcp://127.0.0.1:" + port + "/" + NQN + parameters, "--verify", "crc32c", "--json"));
      arguments.addAll(List.of(options));
      return arguments;
    }

    /** Writes with checksums and reads back. */
    void verified(String parameters, String... options) {
      List<String> arguments = arguments(parameters, options);
      RemoraProcess.Result result = RemoraProcess.run(Duration.ofMinutes(2), arguments.toArray(String[]::new));
      assertThat(result.exitCode()).as("remora %s:\n%s%s", arguments, result.stdout(), result.stderr()).isZero();
      clean(Node.parse(result.stdout()));
    }
  }

  /** Asserts that a run has read back what it wrote, and that nothing failed. */
  private static JsonNode clean(JsonNode said) {
    assertThat(said.path("verified_bytes").asLong()).as("verified bytes of %s", said).isPositive();
    assertThat(said.path("errors")).as("errors of %s", said).isEmpty();
    return said;
  }

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void usesTheKernelsTarget(String kernel) throws InterruptedException {
    int port = Processes.freePort();
    BlockingQueue<String> orders = new ArrayBlockingQueue<>(16);
    Map<String, Guest.Answer> answers = Map.of("next", words -> orders.poll(140, TimeUnit.SECONDS));
    Guest.Config config = new Guest.Config("target-" + kernel, kernel,
        List.of("--smp", "2", "--fwd", "tcp:" + port + ":4420"),
        Duration.ofMinutes(5));
    try (Guest guest = new Guest(config, "linux-target.sh", Map.of("NQN", NQN), answers)) {
      assertThat(guest.output().await(Pattern.compile("^ok nvmet exports"), 0, Duration.ofSeconds(90)))
          .as("the guest said\n%s", guest.output().tail(30)).isNotNull();
      Target target = new Target(port, orders, guest);
      transfers(target);
      recovers(target);
      orders.put("done");
      guest.finish(5);
    }
  }

  private static void transfers(Target target) {
    target.verified("", "--bs", "4k", "--rw", "randrw", "--iodepth", "16", "--size", "4m");
    passed("4 KiB random, depth 16");
    target.verified("?hdgst=1", "--bs", "16k", "--rw", "randwrite", "--iodepth", "8", "--size", "4m");
    passed("header digest, 16 KiB");
    target.verified("?ddgst=1", "--bs", "512", "--rw", "randwrite", "--iodepth", "32", "--size", "512k");
    passed("data digest, 512 bytes");
    target.verified("?hdgst=1&ddgst=1", "--bs", "1m", "--rw", "write", "--iodepth", "4", "--size", "16m");
    passed("both digests, 1 MiB");
    target.verified("?queues=2&depth=16", "--bs", "64k", "--rw", "randrw", "--iodepth", "16", "--numjobs", "2",
        "--size",
        "16m");
    passed("2 queues of 16, 2 jobs, 64 KiB");
    target.verified("?nsid=2&queues=1", "--bs", "4k", "--rw", "randrw", "--iodepth", "32", "--size", "4m");
    passed("namespace 2 with blocks of 4096 bytes, 1 queue");
  }

  /** The connection is taken away, and later the network stalls, while a run is on; it goes on afterwards, with nothing lost. */
  private static void recovers(Target target) throws InterruptedException {
    List<String> arguments = target.arguments("?kato=2&hdgst=1", "--bs", "4k", "--rw", "randrw", "--iodepth", "4",
        "--size", "8m", "--runtime", "25");
    try (RemoraProcess run = new RemoraProcess("target-recovery", arguments, Pattern.compile(" [1-9][0-9]?% "))) {
      target.order("break", "the target ends all connections");
      target.order("mend", "the target is back, and so is its host");
      target.order("stall", "the network stalled for 3 s");
      assertThat(run.awaitEnd(Duration.ofMinutes(2))).as("exit code of the interrupted run, which said\n%s",
          run.output().tail(20)).isZero();
      run.output().join();
      JsonNode said = clean(Node.parse(String.join("\n", run.output().lines())));
      assertThat(said.at("/lat_us/max").asDouble()).as("the longest wait in microseconds: the run was interrupted")
          .isGreaterThan(1_000_000);
    }
    passed("a run over a broken connection and a stalled network");
  }

  private static void passed(String what) {
    System.out.println("  ok   our host: " + what);
  }
}
