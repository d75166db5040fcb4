package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;
import io.remora.nvme.AnaState;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Knows how well a controller reaches its namespaces: reads the ANA log when the controller comes up, when it says that it has changed,
 * when I/O was refused because of it, and again and again while a group is between two states. Belongs to the controller's first
 * loop; {@link #of} may be called from any thread.
 */
final class AnaWatch {
  private static final long POLL_NS = 500_000_000;

  private final Runnable onRead;
  private final Timer timer;
  private volatile @Nullable Map<Integer, AnaState> states;
  private @Nullable Association live;
  private boolean reading;
  private boolean again;

  /** Calls {@code onRead} each time the log of a live association was read. */
  AnaWatch(Loop loop, Runnable onRead) {
    this.onRead = onRead;
    this.timer = loop.timer(this::refresh);
  }

  /** The state of a group; OPTIMIZED when the controller knows no ANA, INACCESSIBLE when it does not know the group. */
  AnaState of(int group) {
    Map<Integer, AnaState> known = states;
    return known == null ? AnaState.OPTIMIZED : known.getOrDefault(group, AnaState.INACCESSIBLE);
  }

  /** Reads the states for the first time on an association that comes up. */
  CompletableFuture<Void> read(Association association) {
    if (!association.info().hasAna()) {
      states = null;
      return CompletableFuture.completedFuture(null);
    }
    return AnaLog.read(association).thenAccept(found -> states = found);
  }

  /** What was read holds for I/O on {@code association}. */
  void start(Association association) {
    live = association;
    reading = false;
    again = false;
    poll();
  }

  /** There is no association any more. */
  void stop() {
    live = null;
    timer.cancel();
  }

  /** Reads the states anew, if there is something to be read. */
  void refresh() {
    Association current = live;
    if (current == null || !current.info().hasAna()) {
      return;
    }
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    again = false;
    AnaLog.read(current).whenComplete((found, failure) -> {
      if (live == current) {
        reading = false;
        took(found);
      }
    });
  }

  /** {@code found}: null when it could not be read; then what was known holds on, and it is tried again. */
  private void took(@Nullable Map<Integer, AnaState> found) {
    if (again) {
      refresh();
      return;
    }
    if (found == null) {
      timer.arm(POLL_NS);
      return;
    }
    states = found;
    onRead.run();
    poll();
  }

  private void poll() {
    Map<Integer, AnaState> known = states;
    if (live != null && known != null && known.containsValue(AnaState.CHANGE)) {
      timer.arm(POLL_NS);
    }
  }
}
