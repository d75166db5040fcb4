package io.remora.cli.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PermutationProperty {
  @Test
  void everyNumberComesOnce() {
    long seed = Long.getLong("seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 200; round++) {
      int count = round < 20 ? round + 1 : random.nextInt(1, 5000);
      Permutation permutation = new Permutation(count, random.nextLong());
      BitSet seen = new BitSet(count);
      for (int i = 0; i < count; i++) {
        long at = permutation.at(i);
        assertThat(at).as("seed %d, %d numbers", seed, count).isBetween(0L, count - 1L);
        seen.set((int) at);
      }
      assertThat(seen.cardinality()).as("seed %d, %d numbers", seed, count).isEqualTo(count);
    }
  }

  @Test
  void theOrderIsNotTheirOwn() {
    Permutation permutation = new Permutation(100_000, 42);
    long steps = 0;
    for (int i = 1; i < 100_000; i++) {
      steps += Math.abs(permutation.at(i) - permutation.at(i - 1));
    }
    assertThat(steps / 99_999.0).as("mean step, a third of the range when random").isBetween(32_000.0, 35_000.0);
  }
}
