package io.remora.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What every {@link Loop} promises: tasks, timers, deferred tasks. */
@ParameterizedClass
@MethodSource("io.remora.base.Ground#all")
class LoopTest {
  @SuppressWarnings("NullAway.Init")
  private Ground world;
  @SuppressWarnings("NullAway.Init")
  private Loop loop;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  private final Ground.Kind kind;

  LoopTest(Ground.Kind kind) {
    this.kind = kind;
  }

  @BeforeEach
  void begin() {
    world = kind.lay().apply(folder);
    loop = world.loop(0);
  }

  @AfterEach
  void end() {
    world.close();
  }

  @Test
  void runsTasksInOrderOnItsThread() {
    List<Integer> seen = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      int number = i;
      loop.execute(() -> {
        assertThat(loop.inLoop()).isTrue();
        assertThat(world.loop(1).inLoop()).isFalse();
        seen.add(number);
      });
    }
    world.until(loop, "all tasks", () -> seen.size() == 1000);
    assertThat(seen).isSorted();
    assertThat(loop.inLoop()).isFalse();
  }

  @Test
  void loopsGiveTasksToEachOther() {
    AtomicInteger hops = new AtomicInteger();
    Runnable[] ping = new Runnable[2];
    ping[0] = () -> {
      if (hops.incrementAndGet() < 2000) {
        world.loop(1).execute(ping[1]);
      }
    };
    ping[1] = () -> {
      if (hops.incrementAndGet() < 2000) {
        world.loop(0).execute(ping[0]);
      }
    };
    loop.execute(ping[0]);
    world.until(loop, "the last hop", () -> hops.get() == 2000);
  }

  /** Armed in the order of their deadlines, so that no pause of the machine can change the order. */
  @Test
  void timersFireOnceInOrderOfDeadline() {
    List<String> fired = new ArrayList<>();
    world.run(loop, () -> {
      loop.timer(() -> fired.add("now 1")).arm(0);
      loop.timer(() -> fired.add("now 2")).arm(0);
      loop.timer(() -> fired.add("soon")).arm(1_000_000);
      loop.timer(() -> fired.add("late")).arm(20_000_000);
      loop.timer(() -> fired.add("later")).arm(30_000_000);
    });
    world.until(loop, "the last timer", () -> fired.contains("later"));
    assertThat(fired).containsExactly("now 1", "now 2", "soon", "late", "later");
  }

  @Test
  void timersNeverFireEarly() {
    long[] firedAt = new long[1];
    long armedAt = world.call(loop, () -> {
      long now = loop.clock().nanoTime();
      loop.timer(() -> firedAt[0] = loop.clock().nanoTime()).arm(7_000_000);
      return now;
    });
    world.until(loop, "the timer", () -> firedAt[0] != 0);
    assertThat(firedAt[0] - armedAt).isGreaterThanOrEqualTo(7_000_000);
  }

  @Test
  void timersCanBeMovedAndCancelled() {
    List<String> fired = new ArrayList<>();
    world.run(loop, () -> {
      Timer sooner = loop.timer(() -> fired.add("sooner"));
      sooner.arm(3_600_000_000_000L);
      sooner.arm(0);
      Timer cancelled = loop.timer(() -> fired.add("cancelled"));
      cancelled.arm(1_000_000);
      assertThat(cancelled.armed()).isTrue();
      cancelled.cancel();
      assertThat(cancelled.armed()).isFalse();
      cancelled.cancel();
      Timer moved = loop.timer(() -> fired.add("moved"));
      moved.arm(1_000_000);
      loop.timer(() -> fired.add("between")).arm(10_000_000);
      moved.arm(20_000_000);
    });
    world.until(loop, "the moved timer", () -> fired.contains("moved"));
    assertThat(fired).containsExactly("sooner", "between", "moved");
  }

  @Test
  void manyTimersFireOnceEachUnlessCancelled() {
    long seed = 4711;
    List<Integer> expected = new ArrayList<>();
    List<Integer> fired = new ArrayList<>();
    world.run(loop, () -> {
      Random random = new Random(seed);
      List<Timer> timers = new ArrayList<>();
      for (int i = 0; i < 2000; i++) {
        int number = i;
        timers.add(loop.timer(() -> fired.add(number)));
        timers.get(i).arm(random.nextInt(50) * 1_000_000L);
        timers.get(random.nextInt(timers.size())).cancel();
      }
      for (int i = 0; i < 2000; i++) {
        if (timers.get(i).armed()) {
          expected.add(i);
        }
      }
    });
    world.until(loop, "all timers, seed " + seed, () -> fired.size() >= expected.size());
    assertThat(fired).as("seed %d", seed).containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void aTimerThatArmsItselfLetsOthersRun() {
    int[] count = new int[1];
    Timer[] self = new Timer[1];
    world.run(loop, () -> {
      self[0] = loop.timer(() -> {
        assertThat(self[0].armed()).isFalse();
        count[0]++;
        self[0].arm(0);
      });
      self[0].arm(0);
    });
    world.until(loop, "turns of a timer", () -> count[0] > 100);
    world.run(loop, () -> self[0].cancel());
  }

  @Test
  void deferredTasksRunInOrderAtTheEndOfTheTurn() {
    List<String> seen = new ArrayList<>();
    world.run(loop, () -> {
      loop.defer(() -> {
        seen.add("first");
        loop.defer(() -> seen.add("third"));
      });
      loop.defer(() -> seen.add("second"));
      seen.add("task");
    });
    world.until(loop, "deferred tasks", () -> seen.size() == 4);
    assertThat(seen).containsExactly("task", "first", "second", "third");
  }

  @Test
  void deferringWithoutEndDoesNotStarveTasksAndTimers() {
    int[] turns = new int[1];
    boolean[] stop = new boolean[1];
    boolean[] timer = new boolean[1];
    Runnable[] again = new Runnable[1];
    again[0] = () -> {
      turns[0]++;
      if (!stop[0]) {
        loop.defer(again[0]);
      }
    };
    world.run(loop, () -> {
      loop.defer(again[0]);
      loop.timer(() -> timer[0] = true).arm(1000);
    });
    world.until(loop, "the timer", () -> timer[0] && turns[0] > 1000);
    world.run(loop, () -> stop[0] = true);
  }

  @Test
  void clockGoesForward() {
    Clock clock = loop.clock();
    long before = clock.nanoTime();
    assertThat(clock.nanoTime() - before).isGreaterThanOrEqualTo(0);
    assertThat(clock.wallMillis()).isGreaterThan(0);
  }

  @Test
  void randomIsNotConstant() {
    List<Long> numbers = world.call(loop, () -> {
      List<Long> drawn = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        drawn.add(loop.random().nextLong());
      }
      return drawn;
    });
    assertThat(numbers).doesNotHaveDuplicates();
  }
}
