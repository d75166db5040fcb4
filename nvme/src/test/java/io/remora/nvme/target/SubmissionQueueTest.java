package io.remora.nvme.target;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What hosts are told of the head of their submission queue. */
class SubmissionQueueTest {
  private static final int ENTRIES = 100;

  private final SubmissionQueue queue = new SubmissionQueue();

  /** A busy queue has taken more commands than an int counts within hours. */
  @Test
  void theHeadStaysInTheQueueWhenTheCountOfCommandsWraps() {
    queue.consume();
    queue.connected(ENTRIES, true);
    assertThat(queue.head()).isEqualTo(1);
    long taken = 1;
    for (; taken <= 1L << 32; taken++) {
      queue.consume();
    }
    assertThat(queue.head()).isEqualTo((int) (taken % ENTRIES));
  }
}
