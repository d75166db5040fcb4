package io.remora.sim;

import io.remora.base.sim.Simulation;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What happens in a run, a line each, for people. Belongs to the simulation's thread; costs next to nothing while nobody listens. */
final class Trace {
  private final Simulation simulation;
  private final @Nullable Consumer<String> listener;

  Trace(Simulation simulation, @Nullable Consumer<String> listener) {
    this.simulation = simulation;
    this.listener = listener;
  }

  /** Adds a line; the arguments are formatted when somebody listens. */
  void add(String who, String format, @Nullable Object... arguments) {
    if (listener != null) {
      long nowNs = simulation.nowNs();
      listener.accept(String.format(Locale.ROOT, "%4d.%09d %-8s ", nowNs / 1_000_000_000L, nowNs % 1_000_000_000L, who)
          + String.format(Locale.ROOT, format, arguments));
    }
  }
}
