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

/**
 * The kernel's own NVMe target in a guest whose ports are forwarded, and runs of {@code remora bench} against it, with verified data. The guest's script asks for orders, one after
 * the other: {@code next}. Owned by the test's thread.
 */
final class KernelTarget implements AutoCloseable {
  /** Something that the guest is to do, and the check by which it says that it has. */
  record Order(String what, String reported) {}

  private static final int FIRST_PORT = 4420;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final BlockingQueue<String> orders = new ArrayBlockingQueue<>(16);
  private final Guest guest;

  /**
   * Boots it and waits until the target is exported.
   *
   * @param name of the log files
   * @param ports the first one here is 4420 there, and so on
   */
  KernelTarget(String name, String kernel, String script, String nqn, int... ports) {
    List<String> options = new ArrayList<>(List.of("--smp", "2"));
    for (int i = 0; i < ports.length; i++) {
      options.addAll(List.of("--fwd", "tcp:" + ports[i] + ":" + (FIRST_PORT + i)));
    }
    guest = new Guest(new Guest.Config(name, kernel, options, Duration.ofMinutes(5)), script, Map.of("NQN", nqn),
        Map.of("next", words -> orders.poll(140, TimeUnit.SECONDS)));
    try {
      said("^ok nvmet exports", 0, Duration.ofSeconds(90));
    } catch (AssertionError e) {
      guest.close();
      throw e;
    }
  }

  private void said(String line, int from, Duration timeout) {
    assertThat(guest.output().await(Pattern.compile(line), from, timeout))
        .as("'%s' in what the guest said:\n%s", line, guest.output().tail(30)).isNotNull();
  }

  private void carryOut(Order order) {
    int from = guest.output().lines().size();
    orders.add(order.what);
    said("^(ok|FAIL) " + Pattern.quote(order.reported), from, Duration.ofMinutes(1));
  }

  /** Writes with checksums and reads back; {@code uri} as of {@code remora bench}. */
  static void verify(String uri, String... options) {
    List<String> arguments = bench(uri, options);
    RemoraProcess.Result result = RemoraProcess.run(PATIENCE, arguments.toArray(String[]::new));
    assertThat(result.exitCode()).as("remora %s:\n%s%s", arguments, result.stdout(), result.stderr()).isZero();
    clean(result.stdout());
  }

  /** The same with {@code orders} carried out meanwhile; returns what the run says of itself. */
  JsonNode verifyDuring(List<Order> orders, String name, String uri, String... options) {
    try (RemoraProcess run = new RemoraProcess(name, bench(uri, options), Pattern.compile(" [1-9][0-9]?% "))) {
      orders.forEach(this::carryOut);
      assertThat(run.awaitEnd(PATIENCE)).as("exit code of the run, which said\n%s", run.output().tail(20)).isZero();
      run.output().join();
      return clean(String.join("\n", run.output().lines()));
    }
  }

  private static List<String> bench(String uri, String... options) {
    List<String> arguments = new ArrayList<>(List.of("bench", uri, "--verify", "crc32c", "--json"));
    arguments.addAll(List.of(options));
    return arguments;
  }

  /** Asserts that a run has read back what it wrote, and that nothing failed. */
  private static JsonNode clean(String output) {
    JsonNode said = Node.parse(output);
    assertThat(said.path("verified_bytes").asLong()).as("verified bytes of %s", said).isPositive();
    assertThat(said.path("errors")).as("errors of %s", said).isEmpty();
    return said;
  }

  /** Asserts that a run had to wait for more than a second once. */
  static void assertInterrupted(JsonNode said) {
    assertThat(said.at("/lat_us/max").asDouble()).as("the longest wait in microseconds: the run was interrupted")
        .isGreaterThan(1_000_000);
  }

  /** Lets the script end and asserts that it made {@code expected} checks, and all passed. */
  void finish(int expected) {
    orders.add("done");
    guest.finish(expected);
  }

  @Override
  public void close() {
    guest.close();
  }
}
