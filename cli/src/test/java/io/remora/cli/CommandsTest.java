package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands as people run them: processes, exit codes, what stands on which stream; with a node in another process. */
class CommandsTest {
  private static final int MIB = 1 << 20;

  @TempDir
  static Path folder;

  private static Spawned node;

  @BeforeAll
  static void startNode() throws IOException, InterruptedException {
    node = new Spawned(data(), folder.resolve("node.log"), List.of("--listen", "127.0.0.1:0"), true);
    CommandRun.json(folder, "pool", "create", "main", folder.resolve("main.pool") + ":256MiB", "--data", at());
  }

  @AfterAll
  static void stopNode() {
    node.close();
  }

  private static Path data() {
    return folder.resolve("node");
  }

  private static String at() {
    return data().toString();
  }

  private static JsonNode remora(String... arguments) throws IOException, InterruptedException {
    String[] all = Arrays.copyOf(arguments, arguments.length + 2);
    all[arguments.length] = "--data";
    all[arguments.length + 1] = at();
    return CommandRun.json(folder, all);
  }

  @ParameterizedTest
  @CsvSource({"nonsense", "volume create", "volume create a --size many", "bench mem:1m --bs 3",
    "bench mem:1m --iodepth 0", "target --device mem:1m --nqn no --listen 127.0.0.1:0", "bench disk:/x",
    "up --listen nowhere"})
  void wrongUsageIsTwo(String line) throws IOException, InterruptedException {
    CommandRun run = CommandRun.end(folder, line.split(" "));
    assertThat(run.exitCode()).as(run.err()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().strip().lines()).as("one line on stderr: %s", run.err()).hasSize(1);
    assertThat(run.err()).startsWith("remora: ").contains("--help'");
  }

  @Test
  void failuresAreOneAndSayWhatToDo() throws IOException, InterruptedException {
    CommandRun run = CommandRun.end(folder, "volume", "show", "missing", "--data", at());
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).isEqualTo("remora: there is no volume missing; 'remora volume list' shows what there is\n");
    run = CommandRun.end(folder, "volume", "show", "missing", "--data", at(), "--json");
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.error().at("/error/status").asText()).isEqualTo("NOT_FOUND");
    run = CommandRun.end(folder, "pool", "list", "--data", folder.resolve("nobody").toString());
    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("remora up");
  }

  @Test
  void imagesGoInAndComeOutWithTheirHoles() throws IOException, InterruptedException {
    Path image = folder.resolve("image");
    byte[] data = new byte[5 * MIB + 4096];
    new Random(4).nextBytes(data);
    try (FileChannel file = FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(data), 0);
      file.write(ByteBuffer.wrap(data, 0, MIB), 40L * MIB);
    }
    remora("volume", "create", "copied", "--size", "64MiB");
    JsonNode in = remora("import", image.toString(), "copied");
    assertThat(in.path("bytes").asLong()).isEqualTo(41L * MIB);
    assertThat(in.path("zero_bytes").asLong()).isGreaterThanOrEqualTo(34L * MIB);
    assertThat(remora("volume", "show", "copied").path("used_bytes").asLong()).isLessThanOrEqualTo(8L * MIB);

    Path back = folder.resolve("back");
    JsonNode out = remora("export", "copied", back.toString());
    assertThat(out.path("bytes").asLong()).isEqualTo(64L * MIB);
    byte[] whole = Files.readAllBytes(back);
    byte[] expected = new byte[64 * MIB];
    System.arraycopy(data, 0, expected, 0, data.length);
    System.arraycopy(data, 0, expected, 40 * MIB, MIB);
    assertThat(Arrays.equals(whole, expected)).isTrue();
    assertThat(allocatedBytes(back)).as("the holes of the file").isLessThan(16L * MIB);

    CommandRun again = CommandRun.end(folder, "export", "copied", back.toString(), "--data", at());
    assertThat(again.exitCode()).isEqualTo(1);
    assertThat(again.err()).contains("--force");

    CommandRun stream = CommandRun.end(folder, "export", "copied", "-", "--data", at());
    assertThat(stream.exitCode()).as(stream.err()).isZero();
    assertThat(Arrays.equals(stream.bytes(), expected)).isTrue();
    assertThat(stream.err()).contains(out.path("sha256").asText());

    Path tooLarge = folder.resolve("large");
    try (FileChannel file = FileChannel.open(tooLarge, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(data, 0, 1), 64L * MIB);
    }
    CommandRun refused = CommandRun.end(folder, "import", tooLarge.toString(), "copied", "--data", at());
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err()).contains("remora volume resize");
  }

  /** One node on all addresses of the machine: two of them are two paths, and discovery tells one. */
  @Test
  void aVolumeIsReachedByTwoPaths() throws IOException, InterruptedException {
    Path own = folder.resolve("paths");
    int port = freePort();
    try (Spawned other = new Spawned(own, folder.resolve("paths.log"),
        List.of("--listen", "0.0.0.0:" + port, "--pool", "p=" + folder.resolve("p.pool") + ":128MiB"), true)) {
      assertThat(other).isNotNull();
      CommandRun.json(folder, "volume", "create", "v", "--size", "32MiB", "--data", own.toString());
      String nqn = CommandRun.json(folder, "volume", "publish", "v", "--data", own.toString()).at("/publication/nqn")
          .asText();
      JsonNode found = CommandRun.json(folder, "discover", "nvmf+tcp://127.0.0.1:" + port).at("/entries/0");
      assertThat(found.path("nqn").asText()).isEqualTo(nqn);
      assertThat(found.path("kind").asText()).isEqualTo("nvm");
      assertThat(found.path("address").asText()).isEqualTo("127.0.0.1");
      assertThat(found.path("service").asText()).isEqualTo(Integer.toString(port));
      for (String uri : List.of("127.0.0.1:%d,127.0.0.2:%d/%s?policy=queue-depth".formatted(port, port, nqn),
          "127.0.0.1:%d/%s?discover=1&policy=local".formatted(port, nqn))) {
        JsonNode load = CommandRun.json(folder, "bench", "nvmf+tcp://" + uri, "--rw", "randwrite", "--size", "4m",
            "--iodepth", "8", "--verify", "crc32c");
        assertThat(load.path("verified_bytes").asLong()).as(uri).isEqualTo(4L * MIB);
      }
      CommandRun wrong = CommandRun.end(folder, "bench", "nvmf+tcp://127.0.0.1:" + port + "/" + nqn + "?policy=best");
      assertThat(wrong.exitCode()).isEqualTo(2);
      assertThat(wrong.err()).contains("policy=best: round-robin, queue-depth, local");
    }
  }

  @Test
  void aVerifiedLoadLivesThroughAKillOfTheNode() throws IOException, InterruptedException {
    Path own = folder.resolve("killed");
    try (Spawned killed = new Spawned(own, folder.resolve("killed.log"),
        List.of("--listen", "127.0.0.1:" + freePort(), "--pool", "k=" + folder.resolve("k.pool") + ":128MiB"), true)) {
      CommandRun.json(folder, "volume", "create", "v", "--size", "64MiB", "--data", own.toString());
      String uri = CommandRun.json(folder, "volume", "publish", "v", "--data", own.toString())
          .at("/publication/uri").asText();
      try (CommandRun load = CommandRun.start(folder, "bench", uri, "--rw", "randwrite", "--bs", "8k", "--iodepth",
          "16", "--runtime", "5", "--verify", "crc32c", "--json")) {
        JsonNode before = null;
        // Kill it only when it has something to lose.
        while (before == null || before.path("used_bytes").asLong() < 16L * MIB) {
          before = CommandRun.json(folder, "volume", "show", "v", "--data", own.toString());
        }
        killed.kill();
        killed.restart();
        assertThat(load.exitCode()).as(load.err()).isZero();
        assertThat(load.result().path("ok").asBoolean()).isTrue();
        // How much depends on the machine; a block at least in each cluster that was seen in use.
        assertThat(load.result().path("verified_bytes").asLong()).isGreaterThanOrEqualTo(16 * (8L << 10));
        assertThat(load.result().path("errors")).isEmpty();
      }
    }
  }

  @Test
  void sigtermEndsAServerInOrder() throws IOException, InterruptedException {
    try (CommandRun target = CommandRun.start(folder, "target", "--device", "mem:1m", "--nqn",
        "nqn.2026-01.io.remora:t", "--listen", "127.0.0.1:0", "--json")) {
      target.awaitOutput();
      assertThat(target.result().path("ready").asBoolean()).isTrue();
      target.terminate();
      assertThat(target.exitCode()).as(target.err()).isZero();
    }
    try (CommandRun up = CommandRun.start(folder, "up", "--data", folder.resolve("ends").toString(), "--listen",
        "127.0.0.1:0", "--pool", "p=" + folder.resolve("ends.pool") + ":64MiB", "--json")) {
      up.awaitOutput();
      assertThat(up.result().path("pools").asInt()).isEqualTo(1);
      up.terminate();
      assertThat(up.exitCode()).as(up.err()).isZero();
    }
  }

  @Test
  void quickstartDoesItAll() throws IOException, InterruptedException {
    JsonNode result = CommandRun.json(folder, "quickstart");
    assertThat(result.path("ok").asBoolean()).isTrue();
    assertThat(result.path("restarts").asInt()).isEqualTo(1);
    assertThat(result.path("bytes_verified").asLong()).isGreaterThanOrEqualTo(128L * MIB);
    assertThat(result.path("results")).hasSizeGreaterThanOrEqualTo(4).allSatisfy(line -> {
      assertThat(line.path("transport").asText()).isEqualTo("tcp");
      assertThat(line.path("iops").asDouble()).isPositive();
      assertThat(line.at("/lat_us/p50").asDouble()).isPositive();
      assertThat(line.at("/lat_us/p99_9").asDouble()).isGreaterThanOrEqualTo(line.at("/lat_us/p50").asDouble());
      assertThat(line.path("cpu_us_per_io").asDouble()).isPositive();
    });
  }

  /** What a file takes of its file system, as du counts it. */
  private static long allocatedBytes(Path file) throws IOException, InterruptedException {
    Process du = new ProcessBuilder("du", "-B1", file.toString()).start();
    String text = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(du.waitFor()).isZero();
    return Long.parseLong(text.split("\\s")[0]);
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      return socket.getLocalPort();
    }
  }
}
