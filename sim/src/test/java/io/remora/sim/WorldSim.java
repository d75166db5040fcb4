package io.remora.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole worlds under their enemies: 200 seeds in a build, as many as {@code -Dremora.sim.seeds} says in {@code ./verify}. */
class WorldSim {
  private static final int SEEDS = Integer.getInteger("remora.sim.seeds", 200);
  private static final long FIRST = Long.getLong("remora.sim.first", 1);
  private static final int ENOUGH = 5;

  @Test
  void everySeedHolds() {
    List<String> failures = new ArrayList<>();
    long requests = 0;
    long began = System.nanoTime();
    for (long seed = FIRST; seed < FIRST + SEEDS && failures.size() < ENOUGH; seed++) {
      Outcome outcome = Run.of(seed, null);
      requests += outcome.requests();
      if (!outcome.ok()) {
        failures.add("seed " + seed + ": " + outcome.failure() + "\n  " + outcome.shape() + "\n  " + outcome.enemies()
            + "\n  repeat with: remora sim --seed " + seed);
      }
    }
    System.out.printf(Locale.ROOT, "  %s    simulation: %d seeds, %d failed, %d requests, %.0f s%n",
        failures.isEmpty() ? "ok" : "FAIL", SEEDS, failures.size(), requests, (System.nanoTime() - began) / 1e9);
    assertThat(failures).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 17, 91})
  void aSeedRepeatsEverything(long seed) {
    List<String> trace = new ArrayList<>();
    Outcome first = Run.of(seed, trace::add);
    List<String> again = new ArrayList<>();
    assertThat(Run.of(seed, again::add)).isEqualTo(first);
    assertThat(again).isEqualTo(trace).hasSizeGreaterThan(20);
    assertThat(Run.of(seed, null)).as("who listens changes nothing").isEqualTo(first);
    assertThat(Run.of(seed + 1, null).traceHash()).isNotEqualTo(first.traceHash());
  }
}
