package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every loop does with tasks and timers. */
class LoopContractTest {
  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void tasksOfOneCallerRunInTheirOrder(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop here = ground.loop(0);
      Loop there = ground.loop(1);
      List<Integer> order = new ArrayList<>();
      CompletableFuture<Integer> done = new CompletableFuture<>();
      here.execute(() -> {
        for (int i = 0; i < 100; i++) {
          int number = i;
          there.execute(() -> {
            assertThat(there.inLoop() && !here.inLoop()).isTrue();
            order.add(number);
          });
        }
        there.execute(() -> done.complete(order.size()));
      });
      assertThat(ground.await(done)).isEqualTo(100);
      assertThat(order).isSorted();
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void deferredRunsAfterItsTaskAndBeforeTheTurnEnds(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop loop = ground.loop(0);
      List<String> order = new ArrayList<>();
      CompletableFuture<List<String>> done = new CompletableFuture<>();
      loop.execute(() -> {
        Timer later = loop.timer(() -> done.complete(order));
        later.arm(1);
        loop.defer(() -> {
          order.add("deferred");
          loop.defer(() -> order.add("deferred by deferred"));
        });
        loop.defer(() -> order.add("second"));
        order.add("task");
      });
      assertThat(ground.await(done)).containsExactly("task", "deferred", "second", "deferred by deferred");
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void timersFireOnceByDeadlineAndNeverEarly(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop loop = ground.loop(0);
      List<String> fired = new ArrayList<>();
      CompletableFuture<Long> done = new CompletableFuture<>();
      long startNs = ground.call(loop, () -> {
        long nowNs = loop.clock().nanoTime();
        Timer last = loop.timer(() -> done.complete(loop.clock().nanoTime()));
        Timer moved = loop.timer(() -> fired.add("moved"));
        Timer cancelled = loop.timer(() -> fired.add("cancelled"));
        Timer early = loop.timer(() -> {
          fired.add("early");
          cancelled.cancel();
        });
        assertThat(moved.armed()).isFalse();
        moved.cancel();
        moved.arm(0);
        moved.arm(8_000_000);
        cancelled.arm(6_000_000);
        early.arm(2_000_000);
        last.arm(20_000_000);
        assertThat(moved.armed() && cancelled.armed() && early.armed() && last.armed()).isTrue();
        return nowNs;
      });
      assertThat(ground.await(done) - startNs).isGreaterThanOrEqualTo(20_000_000);
      assertThat(ground.call(loop, () -> List.copyOf(fired))).containsExactly("early", "moved");
    }
  }

  @ParameterizedTest
  @MethodSource("io.remora.base.Ground#all")
  void timerMayArmItself(Ground.Kind kind) {
    try (Ground ground = kind.lay().apply(folder)) {
      Loop loop = ground.loop(0);
      CompletableFuture<Integer> done = new CompletableFuture<>();
      ground.run(loop, () -> {
        int[] count = {0};
        Timer[] timer = new Timer[1];
        timer[0] = loop.timer(() -> {
          assertThat(timer[0].armed()).isFalse();
          count[0]++;
          if (count[0] == 50) {
            done.complete(count[0]);
          } else {
            timer[0].arm(0);
          }
        });
        timer[0].arm(0);
      });
      assertThat(ground.await(done)).isEqualTo(50);
    }
  }
}
