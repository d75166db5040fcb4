package io.remora.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The simulator finds bugs: each of these faults, built into our own code as it is loaded, is caught within 1,000 seeds. */
class MutationSim {
  private static final int SEEDS = 1000;

  static List<Mutation> mutations() {
    return Mutation.ALL;
  }

  @ParameterizedTest
  @MethodSource("mutations")
  void isCaught(Mutation mutation) {
    Mutant mutant = new Mutant(mutation);
    assertThat(mutant.sites()).as("places where the fault was built in").isEqualTo(mutation.sites());
    String failure = "";
    long seed = 0;
    while (failure.isEmpty() && seed < SEEDS) {
      seed++;
      failure = mutant.failure(seed);
    }
    assertThat(failure).as("%s, %d seeds", mutation.name(), seed).isNotEmpty();
    System.out.printf(Locale.ROOT, "  ok    mutation: %s: caught by seed %d%n", mutation.name(), seed);
  }

  /** Without a fault, the same classes loaded the same way find nothing. */
  @Test
  void nothingIsCaughtWhereNothingIsWrong() {
    Mutant sound = new Mutant(new Mutation("none", Run.class.getName(), "run", 0, _ -> false, (_, _) -> {}));
    for (long seed = 1; seed <= 20; seed++) {
      assertThat(sound.failure(seed)).isEmpty();
    }
  }
}
