package io.remora.bench.pair;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** A process with all that it has started: its processor time, and a way to hold it still. */
record ProcessTree(ProcessHandle root) {
  /** Processor time used so far by all threads that live, in nanoseconds; includes network work done in their name. */
  long cpuNs() {
    return members().mapToLong(member -> cpuNs(member.pid())).sum();
  }

  /** SIGSTOP: it uses no processor until {@link #resume}. */
  void pause() {
    signal("-STOP");
  }

  void resume() {
    signal("-CONT");
  }

  void end() {
    resume();
    members().forEach(ProcessHandle::destroy);
    try {
      root.onExit().get(10, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      members().forEach(ProcessHandle::destroyForcibly);
    } catch (InterruptedException e) {
      members().forEach(ProcessHandle::destroyForcibly);
      Thread.currentThread().interrupt();
    }
  }

  private Stream<ProcessHandle> members() {
    return Stream.concat(Stream.of(root), root.descendants());
  }

  private void signal(String signal) {
    List<String> command = new ArrayList<>(List.of("kill", signal));
    members().forEach(member -> command.add(Long.toString(member.pid())));
    try {
      // One that has just ended is none to worry about.
      new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
          .waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** The first number of schedstat is the time on a processor in nanoseconds. */
  static long cpuNs(long pid) {
    long sum = 0;
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "task"))) {
      for (Path thread : threads) {
        String text = Files.readString(thread.resolve("schedstat"));
        sum += Long.parseLong(text.substring(0, text.indexOf(' ')));
      }
    } catch (IOException e) {
      // It, or one of its threads, ended while we looked.
      return sum;
    }
    return sum;
  }
}
