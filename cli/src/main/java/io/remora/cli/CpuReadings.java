package io.remora.cli;

import java.util.function.LongSupplier;

/** The processor time of a load's process for its {@link io.remora.cli.load.Load}, and of the target and of everybody else beside it: read twice, when measuring begins and when it ends. On the load's first loop. */
final class CpuReadings implements LongSupplier {
  private final LongSupplier own = CpuClock.own();
  private final LongSupplier machine = CpuClock.machine();
  private final LongSupplier target;
  private long ownNs;
  private long targetNs;
  private long machineNs;
  private long usedByTargetNs;
  private long usedByOthersNs;

  CpuReadings(LongSupplier target) {
    this.target = target;
  }

  /** Reads all of them; gives the load's own. */
  @Override
  public long getAsLong() {
    long now = own.getAsLong();
    long there = target.getAsLong();
    long all = machine.getAsLong();
    usedByTargetNs = there - targetNs;
    usedByOthersNs = Math.max(0, all - machineNs - (now - ownNs) - usedByTargetNs);
    ownNs = now;
    targetNs = there;
    machineNs = all;
    return now;
  }

  /** What the target has used between the last two readings, in nanoseconds. */
  long targetNs() {
    return usedByTargetNs;
  }

  /** What all other processes have used between the last two readings, and what the hypervisor took, in nanoseconds. */
  long othersNs() {
    return usedByOthersNs;
  }
}
