package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * A target among hostile hosts, {@code -Dremora.fuzz.pdus=N} mutated PDUs in all, from seed {@code -Dremora.fuzz.seed=S}: see
 * {@link FuzzModel} and {@link FuzzAnswers} for what has to hold.
 */
class TargetFuzzSim {
  private static final long EPISODE_PDUS = 10_000;

  @Test
  void nothingBreaksIt() {
    long pdus = Long.getLong("remora.fuzz.pdus", 1_000_000);
    long seed = Long.getLong("remora.fuzz.seed", 1);
    long mutated = 0;
    long terminated = 0;
    long connections = 0;
    int seen = 0;
    while (mutated < pdus) {
      TargetFuzz fuzz = TargetFuzz.run(seed++, Math.min(EPISODE_PDUS, pdus - mutated));
      mutated += fuzz.mutated;
      terminated += fuzz.terminated;
      connections += fuzz.connections;
      seen = Math.max(seen, fuzz.answersSeen());
    }
    System.out.printf(
        "fuzz: target: %d mutated PDUs on %d connections, %d answered with C2HTermReq; %d different answers%n",
        mutated, connections, terminated, seen);
    assertThat(mutated).isGreaterThanOrEqualTo(pdus);
    assertThat(terminated).isPositive();
  }
}
