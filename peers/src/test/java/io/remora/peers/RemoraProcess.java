package io.remora.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The {@code remora} command in a process of its own, built from the classes of this very build. Owned by the test's thread;
 * {@link #kill} and {@link #restart} may come from another one, one at a time.
 */
final class RemoraProcess implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofMinutes(1);
  private static final Duration END_TIMEOUT = Duration.ofSeconds(30);

  /** How a command ended, and what it said. */
  record Result(int exitCode, String stdout, String stderr) {}

  private final String name;
  private final List<String> arguments;
  private final Pattern ready;
  private int starts;
  private Process process;
  private Transcript output;
  private Matcher readyLine;

  /** Starts {@code remora arguments...} and waits for a line in which {@code ready} is found. */
  RemoraProcess(String name, List<String> arguments, Pattern ready) {
    this.name = name;
    this.arguments = List.copyOf(arguments);
    this.ready = ready;
    starts = 1;
    process = launch(this.arguments, true);
    output = new Transcript(process.getInputStream(), Transcript.logFile(name + "." + starts), line -> {});
    readyLine = awaitReady();
  }

  /** The line that said it was ready. */
  Matcher readyLine() {
    return readyLine;
  }

  long pid() {
    return process.pid();
  }

  Transcript output() {
    return output;
  }

  /** SIGKILL: not a line of ours runs after this. */
  void kill() {
    process.destroyForcibly();
    awaitEnd(END_TIMEOUT);
  }

  /** SIGTERM; returns the exit code. */
  int terminate() {
    process.destroy();
    return awaitEnd(END_TIMEOUT);
  }

  /** Starts it again with the same arguments, after it has ended. */
  void restart() {
    if (process.isAlive()) {
      throw new IllegalStateException(name + " still runs");
    }
    starts++;
    process = launch(arguments, true);
    output = new Transcript(process.getInputStream(), Transcript.logFile(name + "." + starts), line -> {});
    readyLine = awaitReady();
  }

  /** Waits for its end; returns the exit code. */
  int awaitEnd(Duration timeout) {
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new AssertionError(name + " does not end:\n" + output.tail(40));
      }
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + name + " ends", e);
    }
  }

  private Matcher awaitReady() {
    Matcher line = output.await(ready, 0, START_TIMEOUT);
    if (line == null) {
      Processes.end(process);
      throw new AssertionError("remora " + String.join(" ", arguments) + " did not get ready:\n" + output.tail(40));
    }
    return line;
  }

  @Override
  public void close() {
    Processes.end(process);
    output.join();
  }

  /** Runs {@code remora arguments...} to its end, which must come in {@code timeout}. */
  static Result run(Duration timeout, String... arguments) {
    Process process = launch(List.of(arguments), false);
    Transcript out = new Transcript(process.getInputStream(), Transcript.logFile("command.out"), line -> {});
    Transcript err = new Transcript(process.getErrorStream(), Transcript.logFile("command.err"), line -> {});
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("remora " + String.join(" ", arguments) + " was not done after " + timeout.toSeconds()
            + " s:\n" + out.tail(20) + "\n" + err.tail(40));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    out.join();
    err.join();
    return new Result(process.exitValue(), String.join("\n", out.lines()), String.join("\n", err.lines()));
  }

  /** As {@link #run}, for a command that has to succeed; returns what it printed. */
  static String call(String... arguments) {
    Result result = run(Duration.ofMinutes(1), arguments);
    if (result.exitCode != 0) {
      throw new AssertionError("remora " + String.join(" ", arguments) + " ended with " + result.exitCode + ":\n"
          + result.stderr + result.stdout);
    }
    return result.stdout;
  }

  private static Process launch(List<String> arguments, boolean together) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-ea", "-XX:+UseSerialGC", "-Xmx256m", "-XX:+ExitOnOutOfMemoryError",
        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), "io.remora.cli.Remora"));
    command.addAll(arguments);
    try {
      return new ProcessBuilder(command).redirectErrorStream(together).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
