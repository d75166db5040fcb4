package io.remora.bench.iwarp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What loops were kept from by others until a moment, in nanoseconds: a loop that never sleeps waits for its processor only when somebody else has it.
 *
 * @param atNs the moment
 * @param waitedNs all that the loops' threads have waited for a processor
 * @param stolenNs taken by the hypervisor, from all processors
 */
record Waits(long atNs, long waitedNs, long stolenNs) {
  private static final long TICK_NS = 10_000_000;

  /** Of this process and of {@code other}. */
  static Waits now(ProcessHandle other) {
    try {
      String[] all = Files.readString(Path.of("/proc/stat")).lines().findFirst().orElse("").split(" +");
      return new Waits(System.nanoTime(), waitedNs(ProcessHandle.current().pid()) + waitedNs(other.pid()),
          Long.parseLong(all[8]) * TICK_NS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long waitedNs(long process) throws IOException {
    long sum = 0;
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + process + "/task"))) {
      for (Path thread : threads.toList()) {
        if (Files.readString(thread.resolve("comm")).startsWith(Other.LOOPS)) {
          sum += Long.parseLong(Files.readString(thread.resolve("schedstat")).split(" ")[1]);
        }
      }
    } catch (NoSuchFileException _) {
      // A thread that ended meanwhile was no loop.
    }
    return sum;
  }

  /** The share of the time since {@code before} that the two loops did not have. */
  double since(Waits before) {
    return (waitedNs - before.waitedNs + stolenNs - before.stolenNs) / 2.0 / (atNs - before.atNs);
  }
}
