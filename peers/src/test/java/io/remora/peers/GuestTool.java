package io.remora.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The program that boots a stock Debian kernel: {@code $REMORA_GUEST}, or {@code ../shared/guest/guest} beside the source tree.
 * Any thread.
 */
final class GuestTool {
  /** The kernel that the tool takes by itself. */
  static final String DEFAULT_KERNEL = "default";

  private static final long PREPARE_MINUTES = 15;
  private static final Map<String, String> REASONS = new ConcurrentHashMap<>();

  private GuestTool() {}

  /** The kernels to test with: Debian packages in {@code $REMORA_GUEST_KERNELS}, with blanks between; else the tool's own choice. */
  static List<String> kernels() {
    String names = System.getenv().getOrDefault("REMORA_GUEST_KERNELS", "").strip();
    return names.isEmpty() ? List.of(DEFAULT_KERNEL) : List.of(names.split("[ ,]+"));
  }

  /** Where it is, whether it is there or not. */
  static Path path() {
    String told = System.getenv("REMORA_GUEST");
    return told == null ? root().resolve("../shared/guest/guest").normalize() : Path.of(told).toAbsolutePath();
  }

  /** Why no guest can be started; empty when one can. The first call downloads and builds what the guest needs. */
  static String whyNot(String kernel) {
    return REASONS.computeIfAbsent(kernel, GuestTool::prepare);
  }

  private static String prepare(String kernel) {
    Path tool = path();
    if (!Files.isExecutable(tool)) {
      return "there is no guest tool at " + tool + " (set REMORA_GUEST to where it is)";
    }
    ProcessBuilder command = new ProcessBuilder(tool.toString(), "prepare");
    if (!kernel.equals(DEFAULT_KERNEL)) {
      command.command().addAll(List.of("--kernel", kernel));
    }
    try {
      Process process = command.redirectErrorStream(true).start();
      Transcript said = new Transcript(process.getInputStream(), Transcript.logFile("prepare-" + kernel),
          line -> System.out.println("  " + line));
      if (!process.waitFor(PREPARE_MINUTES, TimeUnit.MINUTES)) {
        process.destroy();
        return "'" + tool + " prepare' was not done after " + PREPARE_MINUTES + " minutes";
      }
      said.join();
      List<String> lines = said.lines();
      return process.exitValue() == 0
          ? ""
          : "the guest cannot be prepared: "
              + (lines.isEmpty() ? "exit code " + process.exitValue() : lines.getLast());
    } catch (IOException e) {
      return "'" + tool + "' cannot be run: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted while the guest was prepared";
    }
  }

  private static Path root() {
    Path path = Path.of("").toAbsolutePath();
    while (!Files.exists(path.resolve("STYLE.md")) && path.getParent() != null) {
      path = path.getParent();
    }
    return path;
  }
}
