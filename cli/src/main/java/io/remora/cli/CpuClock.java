package io.remora.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;

/** Processor time in nanoseconds; counts in steps of the kernel's tick (10 ms). */
final class CpuClock {
  private static final long TICK_NS = 10_000_000;
  private static final int STEAL = 8;
  /** user, nice, system, irq, softirq, steal. */
  private static final int[] BUSY_FIELDS = {1, 2, 3, 6, 7, STEAL};

  private CpuClock() {}

  /** Of this process. */
  static LongSupplier own() {
    return of(ProcessHandle.current());
  }

  /** Of all processes and interrupts of the machine, with what its hypervisor has taken away (proc(5), the first line of stat); stands still where that cannot be read. */
  static LongSupplier machine() {
    return () -> {
      try (BufferedReader stat = Files.newBufferedReader(Path.of("/proc/stat"), StandardCharsets.US_ASCII)) {
        String line = stat.readLine();
        String[] fields = line == null ? new String[0] : line.split(" +", -1);
        long ticks = 0;
        for (int field : fields.length > STEAL ? BUSY_FIELDS : new int[0]) {
          ticks += Long.parseLong(fields[field]);
        }
        return ticks * TICK_NS;
      } catch (IOException | NumberFormatException e) {
        return 0;
      }
    };
  }

  /** Of another one of this user; stands still when it has ended. */
  static LongSupplier of(ProcessHandle process) {
    return () -> process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
  }
}
