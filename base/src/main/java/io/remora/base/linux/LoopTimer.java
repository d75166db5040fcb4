package io.remora.base.linux;

import io.remora.base.Timer;

/** A timer of a {@link LinuxLoop}; its place in the loop's {@link TimerHeap} is part of it. */
final class LoopTimer implements Timer {
  /** About 146 years: what is later never comes, and sums cannot overflow. */
  private static final long MAX_DELAY_NS = Long.MAX_VALUE / 2;

  final Runnable task;
  int index = -1;
  long deadlineNs;
  long sequence;

  private final LinuxLoop loop;
  private final TimerHeap heap;

  LoopTimer(LinuxLoop loop, TimerHeap heap, Runnable task) {
    this.loop = loop;
    this.heap = heap;
    this.task = task;
  }

  @Override
  public void arm(long delayNs) {
    assert loop.inLoop();
    heap.arm(this, loop.nanoTime() + Math.clamp(delayNs, 0, MAX_DELAY_NS));
  }

  @Override
  public void cancel() {
    assert loop.inLoop();
    if (index >= 0) {
      heap.remove(this);
    }
  }

  @Override
  public boolean armed() {
    return index >= 0;
  }

  boolean before(LoopTimer other) {
    long difference = deadlineNs - other.deadlineNs;
    return difference < 0 || (difference == 0 && sequence < other.sequence);
  }
}
