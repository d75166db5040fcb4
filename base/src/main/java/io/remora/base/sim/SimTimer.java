package io.remora.base.sim;

import io.remora.base.Timer;

/** A timer of a {@link SimLoop}: never early, late as the loop is. */
final class SimTimer implements Timer {
  private final SimLoop loop;
  private final Runnable task;
  private final EventQueue.Event due = new EventQueue.Event(this::due);
  private boolean armed;
  private int arming;

  SimTimer(SimLoop loop, Runnable task) {
    this.loop = loop;
    this.task = task;
  }

  @Override
  public void arm(long delayNs) {
    loop.checkInLoop();
    armed = true;
    arming++;
    loop.simulation().after(delayNs, due);
  }

  @Override
  public void cancel() {
    loop.checkInLoop();
    armed = false;
    arming++;
    loop.simulation().cancel(due);
  }

  @Override
  public boolean armed() {
    return armed;
  }

  private void due() {
    int dueArming = arming;
    loop.enqueue(() -> fire(dueArming));
  }

  private void fire(int dueArming) {
    // It may have been cancelled or moved while this waited for its turn.
    if (armed && arming == dueArming) {
      armed = false;
      task.run();
    }
  }
}
