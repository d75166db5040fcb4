package io.remora.nvme.host;

import io.remora.base.Clock;
import io.remora.base.Status;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/** What a controller tells of itself: how it is doing, and to whom it tells changes. Changed on the controller's loop, read from any thread. */
final class HostReport {
  private final HostController controller;
  private final Clock clock;
  private final IntSupplier attempts;
  private final LongSupplier aborts;
  private final List<HostListener> listeners = new CopyOnWriteArrayList<>();
  private volatile HostStatus status;
  private long losses;
  private long resets;

  /** With the numbers of attempts to reconnect and of commands aborted that are true now. */
  HostReport(HostController controller, Clock clock, IntSupplier attempts, LongSupplier aborts) {
    this.controller = controller;
    this.clock = clock;
    this.attempts = attempts;
    this.aborts = aborts;
    this.status = new HostStatus(HostState.CONNECTING, Status.OK, "", clock.wallMillis(), 0, 0, 0, 0);
  }

  HostStatus status() {
    return status;
  }

  HostState state() {
    return status.state();
  }

  /** Whether it is over for good. */
  boolean ended() {
    return state() == HostState.CLOSED || state() == HostState.FAILED;
  }

  void add(HostListener listener) {
    listeners.add(listener);
  }

  void remove(HostListener listener) {
    listeners.remove(listener);
  }

  /** The list of namespaces is another one. */
  void namespaces(List<HostNamespace> now) {
    tell(listener -> listener.onNamespaces(controller, now));
  }

  /** The controller has said anew how well it reaches its namespaces. */
  void access() {
    tell(listener -> listener.onAccess(controller));
  }

  private void tell(Consumer<HostListener> what) {
    listeners.forEach(what);
  }

  /** An association was lost; {@code reset} when this end did it. */
  void lost(boolean reset) {
    losses++;
    if (reset) {
      resets++;
    }
  }

  /** The state is another one, or has another reason. */
  void state(HostState next, Status reason, String text) {
    long since = next == status.state() ? status.sinceMillis() : clock.wallMillis();
    status = snapshot(next, reason, text, since);
    tell(listener -> listener.onState(controller, status));
  }

  /** The numbers have changed. */
  void count() {
    status = snapshot(status.state(), status.reason(), status.text(), status.sinceMillis());
  }

  private HostStatus snapshot(HostState state, Status reason, String text, long since) {
    return new HostStatus(state, reason, text, since, attempts.getAsInt(), losses, resets, aborts.getAsLong());
  }
}
