package io.remora.block.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.sim.Seeds;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Much work at once from several loops on volumes that give their clusters back and take them again all the time, on a disk some of
 * whose operations take very long: every read returns what was written to that place of that volume, by any loop.
 */
class PoolLanesProperty {
  private static final int REQUESTS = 4_000;
  private static final int IN_FLIGHT = 24;

  static long[] seeds() {
    return Seeds.of(16);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void everyLoopReadsWhatAnyLoopWrote(long seed) {
    PoolWorkload work = new PoolWorkload(seed, REQUESTS, IN_FLIGHT);
    work.world.machine.disk().stop(work.recording);
    work.run();
    assertThat(work.pool.failure()).isEmpty();
    assertThat(work.pool.problems()).isEmpty();
  }
}
