package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;
import org.jspecify.annotations.Nullable;

/** The commands of one I/O queue that the controller has, the oldest first, and how long it has had them. Belongs to the queue's loop. */
final class InFlightCommands {
  /** Hears of commands that take too long. */
  interface Handler {
    /** {@code command} was not answered in time: once. */
    void onSlow(HostCommand command);

    /** Nor within as long again. Has to {@link #stop} this. */
    void onOverdue(HostCommand command);
  }

  private static final int TICKS = 4;

  private final CommandList list = new CommandList();
  private final Handler handler;
  private final long tickNs;
  private final Timer timer;
  private int tick;

  /** With {@code timeoutNs} for a command to be answered. */
  InFlightCommands(Loop loop, long timeoutNs, Handler handler) {
    this.handler = handler;
    this.tickNs = timeoutNs / TICKS;
    this.timer = loop.timer(this::onTick);
  }

  int size() {
    return list.size();
  }

  void add(HostCommand command) {
    command.inFlight = true;
    command.tick = tick;
    list.add(command);
    if (!timer.armed()) {
      timer.arm(tickNs);
    }
  }

  /** {@code command} was answered. */
  void remove(HostCommand command) {
    list.remove(command);
  }

  /** Takes the oldest out; null when there is none. */
  @Nullable
  HostCommand poll() {
    return list.poll();
  }

  /** Watches no more, until the next one is added. */
  void stop() {
    timer.cancel();
  }

  private void onTick() {
    tick++;
    HostCommand oldest = list.first();
    while (oldest != null && tick - oldest.tick > TICKS) {
      if (oldest.abortSent) {
        handler.onOverdue(oldest);
        return;
      }
      oldest.abortSent = true;
      list.remove(oldest);
      oldest.tick = tick;
      list.add(oldest);
      handler.onSlow(oldest);
      oldest = list.first();
    }
    if (list.size() > 0) {
      timer.arm(tickNs);
    }
  }
}
