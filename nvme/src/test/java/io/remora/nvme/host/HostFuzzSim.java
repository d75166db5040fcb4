package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * A host among hostile targets, {@code -Dremora.fuzz.pdus=N} mutated PDUs in all, from seed {@code -Dremora.fuzz.seed=S}: most of
 * them against single connections ({@link LinkFuzz}), one in twenty against a whole host that brings controllers up again and again
 * ({@link HostFuzz}), which takes far longer per PDU.
 */
class HostFuzzSim {
  private static final long EPISODE_PDUS = 10_000;
  private static final long HOST_EPISODE_PDUS = 1_000;

  private static long pdus() {
    return Long.getLong("remora.fuzz.pdus", 1_000_000);
  }

  private static long seed() {
    return Long.getLong("remora.fuzz.seed", 1);
  }

  @Test
  void nothingBreaksConnections() {
    long pdus = pdus() / 20 * 19;
    long mutated = 0;
    long links = 0;
    long failures = 0;
    for (long seed = seed(); mutated < pdus; seed++) {
      LinkFuzz fuzz = LinkFuzz.run(seed, Math.min(EPISODE_PDUS, pdus - mutated));
      mutated += fuzz.mutated;
      links += fuzz.links;
      failures += fuzz.failures;
    }
    System.out.printf("fuzz: host, connections: %d mutated PDUs on %d connections, of which %d were broken off%n",
        mutated,
        links, failures);
    assertThat(mutated).isGreaterThanOrEqualTo(pdus);
    assertThat(failures).isPositive();
  }

  @Test
  void nothingBreaksHosts() {
    long pdus = pdus() / 20;
    long mutated = 0;
    long losses = 0;
    long completed = 0;
    for (long seed = seed(); mutated < pdus; seed++) {
      long limit = Math.min(HOST_EPISODE_PDUS, pdus - mutated);
      HostFuzz fuzz = seed % 8 == 7 ? HostFuzz.discover(seed, limit) : HostFuzz.run(seed, limit);
      mutated += fuzz.mutated;
      completed += fuzz.completed;
      losses += seed % 8 == 7 ? 0 : fuzz.world.controller().status().losses();
    }
    System.out.printf("fuzz: host, controllers: %d mutated PDUs, connection lost %d times, %d requests done%n", mutated,
        losses, completed);
    assertThat(mutated).isGreaterThanOrEqualTo(pdus);
    assertThat(losses).isPositive();
  }
}
