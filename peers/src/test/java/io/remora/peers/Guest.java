package io.remora.peers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A virtual machine with a stock Linux kernel that runs one script of {@code src/test/resources/guest} as root, from boot to end.
 * The script prints {@code ok NAME} or {@code FAIL NAME} for each check, and {@code ask ID QUESTION ARG...} when it wants
 * something done outside; it finds the answer in the folder that both share. Owned by the test's thread; questions are answered,
 * one at a time, on a thread of their own.
 */
final class Guest implements AutoCloseable {
  /** Answers a question of the script; what it returns is printed in the guest, and an exception fails the check there. */
  interface Answer {
    String to(List<String> arguments) throws Exception;
  }

  /**
   * What to boot.
   *
   * @param name of the log files
   * @param kernel {@link GuestTool#DEFAULT_KERNEL} or a Debian package
   * @param options further options of the guest tool
   * @param timeout after which the guest is stopped
   * @param shown whether the checks are printed as they end
   */
  record Config(String name, String kernel, List<String> options, Duration timeout, boolean shown) {
    /** With everything shown. */
    Config(String name, String kernel, List<String> options, Duration timeout) {
      this(name, kernel, options, timeout, true);
    }
  }

  private static final Pattern QUESTION = Pattern.compile("^ask (\\S+) (\\S+) ?(.*)$");
  private static final Pattern CHECK = Pattern.compile("^(ok|FAIL) (.*)$");

  private final Config config;
  private final Path share;
  private final Process process;
  private final Transcript output;
  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private final ExecutorService answering;
  private long checkBegan = System.nanoTime();

  /** Boots, and runs {@code script} with {@code environment}; {@code answers} are given by name. */
  Guest(Config config, String script, Map<String, String> environment, Map<String, Answer> answers) {
    this.config = config;
    this.answers.putAll(answers);
    this.answering = Executors.newSingleThreadExecutor(Thread.ofVirtual().name("answers").factory());
    try {
      this.share = Files.createTempDirectory("remora-guest-");
      unpack("checks.sh");
      unpack(script);
      this.process = new ProcessBuilder(command(script, environment)).redirectErrorStream(true).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.output = new Transcript(process.getInputStream(), Transcript.logFile(config.name), this::hear);
  }

  private List<String> command(String script, Map<String, String> environment) {
    List<String> command = new ArrayList<>(List.of(GuestTool.path().toString(), "--net", "user"));
    if (!config.kernel.equals(GuestTool.DEFAULT_KERNEL)) {
      command.addAll(List.of("--kernel", config.kernel));
    }
    command.addAll(List.of("--share", share + ",rw", "--timeout", Long.toString(config.timeout.toSeconds())));
    command.addAll(List.of("--log", Transcript.logFile(config.name + ".kernel").toString()));
    command.addAll(config.options);
    environment.forEach((key, value) -> command.addAll(List.of("--env", key + "=" + value)));
    command.addAll(List.of("--", "bash /host/" + script));
    return command;
  }

  private void unpack(String resource) throws IOException {
    try (InputStream source = Guest.class.getResourceAsStream("/guest/" + resource)) {
      Files.copy(Objects.requireNonNull(source, resource), share.resolve(resource));
    }
  }

  private void hear(String line) {
    Matcher question = QUESTION.matcher(line);
    Matcher check = CHECK.matcher(line);
    if (question.matches()) {
      answering.execute(() -> answer(question.group(1), question.group(2), question.group(3).strip()));
    } else if (check.matches() && config.shown) {
      long now = System.nanoTime();
      System.out.printf(Locale.ROOT, "  %-4s %-52s %5.1f s%n", check.group(1), check.group(2),
          (now - checkBegan) / 1e9);
      checkBegan = now;
    }
  }

  /** Two lines or more: "ok" or "failed", then the text. It appears in the share as a whole or not at all. */
  private void answer(String id, String question, String arguments) {
    String text;
    try {
      Answer answer = answers.get(question);
      if (answer == null) {
        throw new IllegalArgumentException("nobody answers '" + question + "'");
      }
      text = "ok\n" + answer.to(arguments.isEmpty() ? List.of() : List.of(arguments.split(" +"))) + "\n";
    } catch (Exception | AssertionError e) {
      text = "failed\n" + question + ": " + e + "\n";
    }
    try {
      Path half = Files.writeString(share.resolve("half-" + id), text);
      Files.move(half, share.resolve("answer-" + id), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      // The guest is gone, or it gives up waiting and says so.
      System.out.println("  cannot answer '" + question + "': " + e);
    }
  }

  /** Waits for the end of the script and asserts that every check passed, {@code expected} of them. */
  void finish(int expected) {
    try {
      if (!process.waitFor(config.timeout.toSeconds() + 60, TimeUnit.SECONDS)) {
        throw new AssertionError("the guest tool hangs:\n" + output.tail(40));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    output.join();
    List<String> checks = output.lines().stream().filter(line -> CHECK.matcher(line).matches()).toList();
    assertThat(process.exitValue()).as("exit code of %s; its output ends with\n%s", config.name, output.tail(60))
        .isZero();
    assertThat(checks).as("checks of %s", config.name).hasSize(expected).allMatch(line -> line.startsWith("ok "));
  }

  /** The script's output so far. */
  Transcript output() {
    return output;
  }

  /** Ends the machine if it still runs. */
  @Override
  public void close() {
    answering.shutdownNow();
    Processes.end(process);
    output.join();
    Processes.deleteTree(share);
  }
}
