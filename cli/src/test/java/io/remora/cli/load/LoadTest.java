package io.remora.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.MemoryDevice;
import io.remora.cli.load.Workload.Pattern;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LoadTest {
  private static final long SIZE = 1 << 20;

  private final Simulation simulation = new Simulation(1);
  private final List<Loop> loops = List.copyOf(simulation.machine("bench").start(2));
  private final MemoryDevice memory = new MemoryDevice("mem", new UUID(1, 2), SIZE, 512);

  @ParameterizedTest
  @EnumSource(Pattern.class)
  void goesOnceOverTheRangeAndFindsWhatItWrote(Pattern pattern) {
    Workload first = once(Pattern.WRITE, 4096, 8, 2);
    assertThat(run(memory, first, new Load.Memory()).ok()).isTrue();
    Result result = run(memory, once(pattern, 4096, 8, 2), null);
    assertThat(result.troubles()).isEmpty();
    assertThat(result.operations()).isEqualTo(SIZE / 4096);
    assertThat(result.latencyNs().getTotalCount()).isEqualTo(SIZE / 4096);
    long written = result.writes().operations() * 4096;
    assertThat(result.verifiedBytes()).isGreaterThanOrEqualTo(pattern.writes() ? written : SIZE);
  }

  @Test
  void aLaterLoadVerifiesWhatAnEarlierOneWrote() {
    Load.Memory known = new Load.Memory();
    Workload write = once(Pattern.RANDWRITE, 4096, 4, 1);
    run(memory, write, known);
    run(memory, write, known);
    Result result = run(memory, once(Pattern.READ, 4096, 4, 1), known);
    assertThat(result.troubles()).isEmpty();
    assertThat(result.verifiedBytes()).isEqualTo(SIZE);
  }

  @Test
  void findsALostWrite() {
    AtomicLong number = new AtomicLong();
    Result result = run(new Liar(memory, request -> request.op == Op.WRITE && number.incrementAndGet() == 100),
        once(Pattern.RANDWRITE, 4096, 4, 1), null);
    assertThat(result.ok()).isFalse();
    assertThat(result.troubles().getFirst()).startsWith("read of 4096 bytes at offset ").contains("no pattern");
  }

  @Test
  void findsALostOverwrite() {
    Load.Memory known = new Load.Memory();
    run(memory, once(Pattern.WRITE, 4096, 1, 1), known);
    AtomicLong number = new AtomicLong();
    Result result = run(new Liar(memory, request -> request.op == Op.WRITE && number.incrementAndGet() == 100),
        once(Pattern.WRITE, 4096, 1, 1), known);
    assertThat(result.troubles()).hasSize(1).first().asString()
        .startsWith("read of 4096 bytes at offset " + 99 * 4096L + ": holds an older write (number 1");
  }

  @Test
  void stopsAtAFailedRequestAndNamesIt() {
    Result result = run(new Liar(memory, request -> {
      if (request.op == Op.READ && request.offset == 8192) {
        request.offset = SIZE;
      }
      return false;
    }), new Workload(Pattern.READ, 50, 4096, 1, 1, 0, SIZE, 0, 0, false, 1), null);
    assertThat(result.troubles()).hasSize(1).first().asString().contains("offset 8192")
        .contains(Status.OUT_OF_RANGE.text());
    assertThat(result.operations()).isLessThan(SIZE / 4096);
  }

  @Test
  void runsForItsTimeAndMeasuresAfterTheRamp() {
    long second = 1_000_000_000L;
    Workload workload = new Workload(Pattern.RANDRW, 70, 512, 2, 1, 4096, 8192, second / 100, second / 100, false, 1);
    Load load = new Load(new Slow(memory, 10_000), loops, workload, null, () -> simulation.nowNs());
    load.start();
    simulation.runUntil(() -> ended(load), second);
    Result result = load.result();
    assertThat(result.elapsedNs()).isBetween(second / 100, second / 99);
    assertThat(result.cpuNs()).isEqualTo(result.elapsedNs());
    assertThat(result.operations()).isBetween(1000L, 2001L);
    assertThat(result.reads().operations() / (double) result.operations()).isBetween(0.65, 0.75);
    assertThat(result.latencyNs().getMinValue()).isGreaterThanOrEqualTo(9_900);
  }

  @Test
  void endsEarlyWhenTold() {
    Workload workload = new Workload(Pattern.WRITE, 0, 512, 2, 2, 0, SIZE, Long.MAX_VALUE / 4, 0, true, 1);
    Load load = new Load(new Slow(memory, 10_000), loops, workload, null, () -> 0);
    load.start();
    simulation.runFor(1_000_000);
    assertThat(ended(load)).isFalse();
    load.abort();
    simulation.runUntil(() -> ended(load), 1_000_000);
    assertThat(load.result().ok()).isTrue();
    assertThat(load.result().operations()).isPositive();
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> run(memory, once(Pattern.READ, 768, 1, 1), null)).isInstanceOf(RemoraException.class)
        .hasMessageContaining("block size 512");
    assertThatThrownBy(() -> new Workload(Pattern.READ, 50, 4096, 1, 1, 512, SIZE, 0, 0, false, 1))
        .hasMessageContaining("multiple of bs");
    assertThatThrownBy(() -> run(memory, new Workload(Pattern.READ, 50, 4096, 1, 1, 4096, SIZE, 0, 0, false, 1), null))
        .hasMessageContaining("past the end");
    assertThatThrownBy(() -> new Workload(Pattern.READ, 50, 1 << 20, 65536, 1, 0, SIZE, 0, 0, false, 1))
        .hasMessageContaining("in flight");
  }

  private static Workload once(Pattern pattern, int blockBytes, int depth, int jobs) {
    return new Workload(pattern, 50, blockBytes, depth, jobs, 0, SIZE / blockBytes * blockBytes, 0, 0, true, 1);
  }

  private Result run(BlockDevice device, Workload workload, Load.@Nullable Memory known) {
    Load load = new Load(device, loops, workload, known, () -> 0);
    load.start();
    simulation.runUntil(() -> ended(load), 60_000_000_000L);
    return load.result();
  }

  private static boolean ended(Load load) {
    try {
      return load.await(0);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Passes everything on, but for requests that it says are done and forgets. */
  private record Liar(MemoryDevice device, Predicate<IoRequest> forget) implements Wrapped {
    @Override
    public void submit(BlockChannel channel, IoRequest request) {
      if (forget.test(request)) {
        request.begin();
        channel.loop().defer(() -> request.complete(Status.OK));
      } else {
        channel.submit(request);
      }
    }
  }

  /** Passes everything on, later. */
  private record Slow(MemoryDevice device, long delayNs) implements Wrapped {
    @Override
    public void submit(BlockChannel channel, IoRequest request) {
      channel.loop().timer(() -> channel.submit(request)).arm(delayNs);
    }
  }

  /** A memory device with something between it and its users. */
  private interface Wrapped extends BlockDevice {
    MemoryDevice device();

    void submit(BlockChannel channel, IoRequest request);

    @Override
    default BlockChannel open(Loop loop) {
      BlockChannel channel = device().open(loop);
      return new BlockChannel() {
        @Override
        public BlockDevice device() {
          return Wrapped.this;
        }

        @Override
        public Loop loop() {
          return loop;
        }

        @Override
        public void submit(IoRequest request) {
          Wrapped.this.submit(channel, request);
        }

        @Override
        public void close() {
          channel.close();
        }
      };
    }

    @Override
    default String name() {
      return device().name();
    }

    @Override
    default UUID uuid() {
      return device().uuid();
    }

    @Override
    default int blockSize() {
      return device().blockSize();
    }

    @Override
    default long sizeBytes() {
      return device().sizeBytes();
    }

    @Override
    default boolean canDeallocate() {
      return device().canDeallocate();
    }

    @Override
    default boolean volatileCache() {
      return false;
    }

    @Override
    default void addListener(Listener listener) {
      device().addListener(listener);
    }

    @Override
    default void removeListener(Listener listener) {
      device().removeListener(listener);
    }
  }
}
