package io.remora.bench.live;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A {@code remora up} of its own data folder, looked at from outside. Owned by the main thread. */
final class NodeProcess implements AutoCloseable {
  private static final long START_NS = 60_000_000_000L;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String program;
  private final Path folder;
  private final Process process;
  private final long startedNs;

  /** Starts it; it does not serve yet. */
  NodeProcess(String program, Path folder, int port, List<String> options) throws IOException {
    this.program = program;
    this.folder = folder;
    List<String> command = new ArrayList<>(
        List.of(program, "up", "--data", folder.resolve("data").toString(), "--listen", "127.0.0.1:" + port));
    command.addAll(options);
    this.startedNs = System.nanoTime();
    this.process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log().toFile()).start();
  }

  /** Waits for the line that says that it serves. */
  void awaitReady() throws IOException {
    long deadline = System.nanoTime() + START_NS;
    while (!Files.readString(log()).contains("ready:")) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IllegalStateException("the node does not start; see " + log());
      }
      pause(20);
    }
  }

  /** When it was started, by {@link System#nanoTime}. */
  long startedNs() {
    return startedNs;
  }

  long pid() {
    return process.pid();
  }

  /** Runs a command of {@code remora} for this node and gives what it prints. */
  JsonNode ask(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--data", folder.resolve("data").toString(), "--json"));
    Process asked = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String answer = new String(asked.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (join(asked) != 0) {
      throw new IllegalStateException(String.join(" ", arguments) + " failed: " + answer);
    }
    return JSON.readTree(answer);
  }

  /** Processor time of all its threads so far, in nanoseconds. */
  long cpuNs() {
    long sum = 0;
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc", Long.toString(pid()), "task"))) {
      for (Path thread : threads) {
        String text = Files.readString(thread.resolve("schedstat"));
        sum += Long.parseLong(text.substring(0, text.indexOf(' ')));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return sum;
  }

  /** What it holds of the machine's memory, in bytes. */
  long residentBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc", Long.toString(pid()), "status")).stream()
        .filter(line -> line.startsWith("VmRSS")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .findFirst().orElse(0);
  }

  private Path log() {
    return folder.resolve("node.log");
  }

  static void pause(long ms) {
    try {
      TimeUnit.MILLISECONDS.sleep(ms);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  static int join(Process program) {
    try {
      return program.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() {
    process.destroy();
    join(process);
  }
}
