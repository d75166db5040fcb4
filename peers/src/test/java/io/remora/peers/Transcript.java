package io.remora.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a process prints, line by line: kept in a file and in memory, shown to a listener as it comes. A thread of its own reads;
 * the other methods may be called from any thread.
 */
final class Transcript {
  private static final int MAX_LINES = 100_000;

  private final Path file;
  private final List<String> lines = new ArrayList<>();
  private final Thread reader;
  private boolean ended;

  /** Reads {@code input} to its end into {@code file}; {@code listener} hears each line on the reading thread. */
  Transcript(InputStream input, Path file, Consumer<String> listener) {
    this.file = file;
    this.reader = Thread.ofVirtual().name("transcript " + file.getFileName()).start(() -> read(input, listener));
  }

  private void read(InputStream input, Consumer<String> listener) {
    try (BufferedReader source = new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8));
        Writer copy = Files.newBufferedWriter(file)) {
      for (String line = source.readLine(); line != null; line = source.readLine()) {
        copy.append(line).append('\n').flush();
        synchronized (this) {
          if (lines.size() < MAX_LINES) {
            lines.add(line);
          }
          notifyAll();
        }
        listener.accept(line);
      }
    } catch (IOException e) {
      // A killed process takes its pipe along; what it said until then counts.
      synchronized (this) {
        lines.add("(" + e.getMessage() + ")");
      }
    } finally {
      synchronized (this) {
        ended = true;
        notifyAll();
      }
    }
  }

  /** The first line, from line {@code from} on, in which {@code pattern} is found; null when the output ended or the time is up. */
  @Nullable
  Matcher await(Pattern pattern, int from, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    int next = from;
    while (true) {
      List<String> fresh = linesFrom(next, deadline);
      if (fresh.isEmpty()) {
        return null;
      }
      for (String line : fresh) {
        Matcher matcher = pattern.matcher(line);
        if (matcher.find()) {
          return matcher;
        }
      }
      next += fresh.size();
    }
  }

  /** The lines from {@code from} on, at least one unless the output has ended or the deadline has passed. */
  private synchronized List<String> linesFrom(int from, long deadline) {
    try {
      while (lines.size() <= from && !ended) {
        long leftMs = (deadline - System.nanoTime()) / 1_000_000;
        if (leftMs <= 0) {
          break;
        }
        wait(leftMs);
      }
      return List.copyOf(lines.subList(Math.min(from, lines.size()), lines.size()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + file.getFileName(), e);
    }
  }

  /** Waits until all output has been read. */
  void join() {
    try {
      reader.join(Duration.ofSeconds(20));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading " + file.getFileName(), e);
    }
  }

  synchronized List<String> lines() {
    return List.copyOf(lines);
  }

  /** The last {@code count} lines and where the others are, for messages. */
  String tail(int count) {
    List<String> all = lines();
    return String.join("\n", all.subList(Math.max(0, all.size() - count), all.size())) + "\n(all of it: " + file + ")";
  }

  /** Where the output of a process called {@code name} goes: {@code peers/target/peers/NAME.log}. */
  static Path logFile(String name) {
    try {
      return Files.createDirectories(Path.of("target", "peers").toAbsolutePath()).resolve(name + ".log");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
