package io.remora.base.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.remora.base.RemoraException;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

/** A {@link Ring} whose queues overflow. */
class RingTest {
  private static final int OP_NOP = 0;

  @Test
  void completionsThatFindNoRoomAreKept() {
    try (Arena arena = Arena.ofConfined()) {
      Ring ring = open(arena);
      // 4 places to submit, 64 to complete.
      int count = 1000;
      for (int i = 0; i < count; i++) {
        ring.fill(ring.nextEntry(), OP_NOP, -1, 0, 0, 0, 0, i);
      }
      boolean[] seen = new boolean[count];
      for (int got = 0; got < count;) {
        if (ring.needsEnter()) {
          ring.enterNow();
        }
        assertThat(ring.hasCompletion()).as("after %d", got).isTrue();
        while (ring.hasCompletion()) {
          assertThat(ring.result()).isZero();
          seen[(int) ring.userData()] = true;
          ring.drop();
          got++;
        }
      }
      assertThat(seen).containsOnly(true);
      ring.close();
    }
  }

  @Test
  void aWaitEnds() {
    try (Arena arena = Arena.ofConfined()) {
      Ring ring = open(arena);
      ring.enterAndWait(1_000_000);
      assertThat(ring.hasCompletion()).isFalse();
      ring.close();
    }
  }

  private static Ring open(Arena arena) {
    try {
      return new Ring(new Libc(), arena, 4);
    } catch (RemoraException e) {
      return abort("io_uring: " + e.getMessage());
    }
  }
}
