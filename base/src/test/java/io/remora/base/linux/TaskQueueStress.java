package io.remora.base.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.RepeatedTest;

/** A {@link TaskQueue} under several producers that find it full, and one that closes it. */
class TaskQueueStress {
  private static final int PRODUCERS = 3;

  /** A task that says whose it is and which. */
  private record Numbered(int producer, int number) implements Runnable {
    @Override
    public void run() {}
  }

  @RepeatedTest(20)
  void everyTaskThatIsTakenComesOutInItsProducersOrder() throws InterruptedException {
    TaskQueue queue = new TaskQueue(64);
    AtomicInteger[] taken = new AtomicInteger[PRODUCERS];
    List<Thread> threads = new ArrayList<>();
    for (int p = 0; p < PRODUCERS; p++) {
      int producer = p;
      taken[p] = new AtomicInteger();
      threads.add(Thread.ofPlatform().start(() -> {
        for (int i = 0; i < 20_000;) {
          switch (queue.offer(new Numbered(producer, i))) {
            case TAKEN -> taken[producer].set(++i);
            case FULL -> Thread.onSpinWait();
            case CLOSED -> {
              return;
            }
          }
        }
      }));
    }
    int[] next = new int[PRODUCERS];
    int got = 0;
    while (got < 30_000) {
      got += take(queue, next);
    }
    queue.close();
    assertThat(queue.offer(() -> {})).isEqualTo(TaskQueue.Offer.CLOSED);
    while (queue.size() > 0) {
      take(queue, next);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    for (int p = 0; p < PRODUCERS; p++) {
      assertThat(next[p]).isEqualTo(taken[p].get());
    }
  }

  private static int take(TaskQueue queue, int[] next) {
    if (!(queue.poll() instanceof Numbered task)) {
      Thread.onSpinWait();
      return 0;
    }
    assertThat(task.number).isEqualTo(next[task.producer]++);
    return 1;
  }
}
