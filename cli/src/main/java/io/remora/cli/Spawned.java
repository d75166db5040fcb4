package io.remora.cli;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.rpc.ControlClient;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** A node in a process of its own: the same program on the same Java with the same options, with {@code up}. */
final class Spawned implements AutoCloseable {
  private static final long START_LIMIT_NS = TimeUnit.SECONDS.toNanos(30);
  private static final long POLL_MS = 20;
  private static final int LOG_LINES = 5;

  private final Path folder;
  private final Path log;
  private final List<String> command;
  private final boolean dieWithParent;
  private Process process;

  /**
   * Starts a node on {@code folder}, which logs to {@code log}, with further {@code arguments}, and waits until it serves.
   *
   * @param dieWithParent whether it ends when this process does, however that ends
   */
  Spawned(Path folder, Path log, List<String> arguments, boolean dieWithParent) {
    this.folder = folder;
    this.log = log;
    this.dieWithParent = dieWithParent;
    this.command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Remora.class.getName(), "up", "--data",
        folder.toString()));
    command.addAll(arguments);
    if (dieWithParent) {
      command.add("--until-stdin-ends");
    }
    this.process = launch();
  }

  /** Its process. */
  ProcessHandle handle() {
    return process.toHandle();
  }

  /** Its processor time. */
  LongSupplier cpuClock() {
    return CpuClock.of(handle());
  }

  /** SIGKILL: nothing of it runs after this. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Starts it again, with the same arguments, after it was killed. */
  void restart() {
    process = launch();
  }

  /** Ends it without ceremony. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Process launch() {
    try {
      ControlClient.forget(folder);
      Process started = new ProcessBuilder(command).redirectErrorStream(true)
          .redirectOutput(Redirect.appendTo(log.toFile()))
          .redirectInput(dieWithParent ? Redirect.PIPE : Redirect.from(Path.of("/dev/null").toFile())).start();
      awaitReady(started);
      return started;
    } catch (IOException e) {
      throw new RemoraException(Status.INTERNAL, "cannot start " + command.getFirst() + ": " + e.getMessage(), e);
    }
  }

  private void awaitReady(Process started) throws IOException {
    long limitNs = System.nanoTime() + START_LIMIT_NS;
    try {
      while (!ControlClient.exists(folder)) {
        if (started.waitFor(POLL_MS, TimeUnit.MILLISECONDS)) {
          throw new RemoraException(Status.INTERNAL,
              "the node ended with exit code " + started.exitValue() + ": " + logTail());
        }
        if (System.nanoTime() - limitNs > 0) {
          started.destroyForcibly();
          throw new RemoraException(Status.TIMED_OUT, "the node does not get ready: " + logTail());
        }
      }
    } catch (InterruptedException e) {
      started.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new RemoraException(Status.ABORTED, "interrupted", e);
    }
  }

  private String logTail() throws IOException {
    List<String> lines = Files.readAllLines(log);
    return String.join(" | ", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
  }
}
