package io.remora.cli;

import java.time.Duration;
import java.util.function.LongSupplier;

/** Processor time of a process of this user, in nanoseconds; counts in steps of the kernel's tick (10 ms). */
final class CpuClock {
  private CpuClock() {}

  /** Of this process. */
  static LongSupplier own() {
    return of(ProcessHandle.current());
  }

  /** Of another one; stands still when it has ended. */
  static LongSupplier of(ProcessHandle process) {
    return () -> process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos();
  }
}
