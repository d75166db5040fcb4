package io.remora.base.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Loop;
import io.remora.base.Loops;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A {@link TimerHeap} against a sorted list. */
class TimerHeapProperty {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void firesWhatIsArmedInOrder(long seed) {
    try (Loops loops = Loops.start(Loops.Config.of("heap", 1))) {
      Loop loop = loops.get(0);
      Random random = new Random(seed);
      TimerHeap heap = new TimerHeap();
      List<LoopTimer> all = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        all.add(new LoopTimer((LinuxLoop) loop, heap, () -> {}));
      }
      List<LoopTimer> model = new ArrayList<>();
      for (int step = 0; step < 20_000; step++) {
        LoopTimer timer = all.get(random.nextInt(all.size()));
        switch (random.nextInt(4)) {
          case 0 -> {
            if (timer.armed()) {
              heap.remove(timer);
              model.remove(timer);
            }
          }
          case 1 -> {
            LoopTimer first = heap.first();
            assertThat(first).as("seed %d, step %d", seed, step).isSameAs(first(model));
            if (first != null) {
              heap.remove(first);
              model.remove(first);
            }
          }
          default -> {
            model.remove(timer);
            model.add(timer);
            // Around the place where the clock's number wraps, with many equal ones.
            heap.arm(timer, Long.MAX_VALUE - 50 + random.nextInt(100));
          }
        }
        assertThat(heap.isEmpty()).isEqualTo(model.isEmpty());
      }
    }
  }

  private static @Nullable LoopTimer first(List<LoopTimer> model) {
    return model.stream().min(Comparator.<LoopTimer>comparingLong(t -> t.deadlineNs - Long.MAX_VALUE)
        .thenComparingLong(t -> t.sequence)).orElse(null);
  }
}
