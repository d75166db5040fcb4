package io.remora.peers;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Our host over two ports of the kernel's own NVMe/TCP target, while ANA states change and a port goes and comes: data verified. */
@NeedsGuest
class LinuxMultipathPeer {
  private static final String NQN = "nqn.2026-01.io.remora.test:multipath";

  @ParameterizedTest
  @MethodSource("io.remora.peers.GuestTool#kernels")
  void survivesTheLossOfPaths(String kernel) throws InterruptedException {
    int one = Processes.freePort();
    int two = Processes.freePort();
    BlockingQueue<String> orders = new ArrayBlockingQueue<>(16);
    Map<String, Guest.Answer> answers = Map.of("next", words -> orders.poll(140, TimeUnit.SECONDS));
    Guest.Config config = new Guest.Config("multipath-" + kernel, kernel,
        List.of("--smp", "2", "--fwd", "tcp:" + one + ":4420", "--fwd", "tcp:" + two + ":4421"), Duration.ofMinutes(5));
    try (Guest guest = new Guest(config, "linux-multipath.sh", Map.of("NQN", NQN), answers)) {
      assertThat(guest.output().await(Pattern.compile("^ok nvmet exports"), 0, Duration.ofSeconds(90)))
          .as("the guest said\n%s", guest.output().tail(30)).isNotNull();
      String uri = "nvmf+tcp://127.0.0.1:" + one + ",127.0.0.1:" + two + "/" + NQN + "?kato=2&policy=round-robin";
      List<String> arguments = List.of("bench", uri, "--bs", "4k", "--rw", "randrw", "--iodepth", "8", "--size", "16m",
          "--runtime", "45", "--verify", "crc32c", "--json");
      try (RemoraProcess run = new RemoraProcess("multipath", arguments, Pattern.compile(" [1-9][0-9]?% "))) {
        order(guest, orders, "connected", "the host uses both ports");
        order(guest, orders, "inaccessible", "I/O leaves a port that becomes inaccessible");
        order(guest, orders, "non-optimized", "I/O prefers the optimized port");
        order(guest, orders, "remove", "a port is removed");
        order(guest, orders, "return", "the port is back, and so is its path");
        assertThat(run.awaitEnd(Duration.ofMinutes(2))).as("exit code of the run, which said\n%s",
            run.output().tail(20)).isZero();
        run.output().join();
        JsonNode said = Node.parse(String.join("\n", run.output().lines()));
        assertThat(said.path("verified_bytes").asLong()).as("verified bytes of %s", said).isPositive();
        assertThat(said.path("errors")).as("errors of %s", said).isEmpty();
      }
      orders.put("done");
      guest.finish(7);
    }
  }

  private static void order(Guest guest, BlockingQueue<String> orders, String what, String reported)
      throws InterruptedException {
    int from = guest.output().lines().size();
    orders.put(what);
    assertThat(guest.output().await(Pattern.compile("^(ok|FAIL) " + Pattern.quote(reported)), from,
        Duration.ofMinutes(1))).as("'%s' is reported; the guest said\n%s", reported, guest.output().tail(30))
        .isNotNull();
  }
}
