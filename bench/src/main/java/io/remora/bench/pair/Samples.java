package io.remora.bench.pair;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Who used the processors while a driver ran, looked at a few times a second. Start-up and end are left out: the window that counts is the
 * inner part of the measured time, counted back from the driver's end.
 */
final class Samples {
  private static final long TICK_NS = 10_000_000;
  /** After the measurement a driver needs a moment to print and to end. */
  private static final long TAIL_NS = 300_000_000;

  /**
   * Processor time used until a moment, in nanoseconds.
   *
   * @param busyNs by anybody, on all processors, time stolen by the hypervisor included
   * @param stealNs stolen by the hypervisor
   */
  private record Sample(long atNs, long targetNs, long driverNs, long ownNs, long busyNs, long stealNs) {}

  /**
   * Shares of one processor: 1.0 is one that did nothing else.
   *
   * @param other used by neither target nor driver, as a share of the two processors
   */
  record Use(double target, double driver, double other, double steal) {}

  private final List<Sample> samples = new ArrayList<>();
  private final ProcessTree target;
  private final ProcessTree driver;
  private final ProcessTree own = new ProcessTree(ProcessHandle.current());

  Samples(ProcessTree target, ProcessTree driver) {
    this.target = target;
    this.driver = driver;
  }

  /** Looks now. */
  void take() {
    long[] machine = machine();
    samples.add(new Sample(System.nanoTime(), target.cpuNs(), driver.cpuNs(), ProcessTree.cpuNs(own.root().pid()),
        machine[0], machine[1]));
  }

  /** What was used in the inner part of the last {@code measuredNs} before now. */
  Use use(long measuredNs) {
    long end = System.nanoTime() - TAIL_NS;
    long begin = end - measuredNs * 7 / 10;
    Sample first = samples.stream().filter(sample -> sample.atNs >= begin).findFirst().orElse(samples.getFirst());
    Sample last = samples.stream().filter(sample -> sample.atNs <= end).reduce(first, (a, b) -> b);
    double elapsed = Math.max(1, last.atNs - first.atNs);
    double targetUse = (last.targetNs - first.targetNs) / elapsed;
    double driverUse = (last.driverNs - first.driverNs) / elapsed;
    double all = (last.busyNs - first.busyNs) / elapsed;
    double mine = (last.ownNs - first.ownNs) / elapsed;
    return new Use(targetUse, driverUse, Math.max(0, all - targetUse - driverUse - mine) / 2,
        (last.stealNs - first.stealNs) / elapsed / 2);
  }

  /** Busy and stolen time of all processors since the machine began, from /proc/stat. */
  private static long[] machine() {
    try {
      String[] fields = Files.readString(Path.of("/proc/stat")).lines().findFirst().orElse("").split(" +");
      long busy = 0;
      for (int i = 1; i <= 8; i++) {
        busy += i == 4 || i == 5 ? 0 : Long.parseLong(fields[i]);
      }
      return new long[] {busy * TICK_NS, Long.parseLong(fields[8]) * TICK_NS};
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
