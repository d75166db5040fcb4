package io.remora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One run of {@code remora} in a process of its own, with its streams in files. Owned by the test's thread. */
final class CommandRun implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long LIMIT_S = 120;

  private final Path out;
  private final Path err;
  private final Process process;

  private CommandRun(Path folder, List<String> arguments) throws IOException {
    out = Files.createTempFile(folder, "run", ".out");
    err = Files.createTempFile(folder, "run", ".err");
    List<String> command = new ArrayList<>(
        List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC", "-Xmx512m",
            "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp",
            System.getProperty("java.class.path"), Remora.class.getName()));
    command.addAll(arguments);
    process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile())
        .redirectInput(Path.of("/dev/null").toFile()).start();
  }

  /** Starts it; its streams go to files in {@code folder}. */
  static CommandRun start(Path folder, String... arguments) throws IOException {
    return new CommandRun(folder, List.of(arguments));
  }

  /** Runs it to its end. */
  static CommandRun end(Path folder, String... arguments) throws IOException, InterruptedException {
    CommandRun run = start(folder, arguments);
    run.exitCode();
    return run;
  }

  /** Runs it to its end, which has to be a success, and returns the object that it printed. */
  static JsonNode json(Path folder, String... arguments) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--json");
    CommandRun run = end(folder, all.toArray(String[]::new));
    assertThat(run.exitCode()).as("%s: %s", all, run.err()).isZero();
    return run.result();
  }

  /** Waits for its end. */
  int exitCode() throws InterruptedException {
    if (!process.waitFor(LIMIT_S, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new AssertionError("not done after " + LIMIT_S + " s");
    }
    return process.exitValue();
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** Waits until something stands on stdout. */
  void awaitOutput() throws IOException, InterruptedException {
    while (Files.size(out) == 0) {
      assertThat(process.waitFor(20, TimeUnit.MILLISECONDS)).as(() -> "ended: " + err()).isFalse();
    }
  }

  byte[] bytes() throws IOException {
    return Files.readAllBytes(out);
  }

  String out() {
    return text(out);
  }

  String err() {
    return text(err);
  }

  /** The only line of stdout, as JSON. */
  JsonNode result() throws IOException {
    assertThat(out().strip().lines()).as("one object on stdout").hasSize(1);
    return JSON.readTree(out());
  }

  /** The last line of stderr, as JSON. */
  JsonNode error() throws IOException {
    return JSON.readTree(err().strip().lines().reduce("", (first, last) -> last));
  }

  private static String text(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      return e.toString();
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
