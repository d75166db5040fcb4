package io.remora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** {@code remora target} in a process of its own: the same program on the same Java. Ended when it is closed, and when this process ends. */
final class TargetProcess implements AutoCloseable {
  private static final long START_LIMIT_S = 30;
  private static final long END_LIMIT_S = 10;

  private final Process process;
  private final String uri;

  private TargetProcess(Process process, String uri) {
    this.process = process;
    this.uri = uri;
  }

  /** Starts it with further {@code arguments} and waits until it is ready. */
  static TargetProcess start(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Remora.class.getName(), "target", "--json",
        "--until-stdin-ends"));
    command.addAll(arguments);
    try {
      Process started = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
      try {
        return new TargetProcess(started, ready(started));
      } catch (IOException | RuntimeException e) {
        started.destroyForcibly();
        throw e;
      }
    } catch (IOException e) {
      throw new RemoraException(Status.INTERNAL, "cannot start " + command.getFirst() + ": " + e.getMessage(), e);
    }
  }

  private static String ready(Process started) throws IOException {
    BufferedReader lines = new BufferedReader(new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
    String line;
    try {
      line = CompletableFuture.supplyAsync(() -> firstLine(lines)).get(START_LIMIT_S, TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException e) {
      throw new RemoraException(Status.TIMED_OUT, "the target is not ready after " + START_LIMIT_S + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RemoraException(Status.ABORTED, "interrupted", e);
    }
    JsonNode said = new ObjectMapper().readTree(line == null ? "{}" : line);
    if (!said.path("ready").asBoolean()) {
      throw new RemoraException(Status.INTERNAL,
          "the target does not start: " + (line == null ? "it said nothing" : line));
    }
    return said.path("uri").asText();
  }

  private static @Nullable String firstLine(BufferedReader lines) {
    try {
      return lines.readLine();
    } catch (IOException e) {
      return null;
    }
  }

  /** Where hosts find it. */
  String uri() {
    return uri;
  }

  /** Its processor time. */
  LongSupplier cpuClock() {
    return CpuClock.of(process.toHandle());
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(END_LIMIT_S, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
