package io.remora.bench;

import io.remora.base.Sgl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Scatter lists, as a connection uses them for one batch of answers: 8 headers and 8 pieces of data, written in two parts. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"})
public class SglBenchmark {
  private static final int ANSWERS = 8;
  private static final int HEADER_BYTES = 24;
  private static final int DATA_BYTES = 4096;

  private final MemorySegment headers = Arena.ofAuto().allocate(4096);
  private final MemorySegment memory = Arena.ofAuto().allocate(ANSWERS * DATA_BYTES);
  private final Sgl data = new Sgl();
  private final Sgl list = new Sgl();

  @Benchmark
  public long gatherAndConsume() {
    data.clear();
    data.add(memory, 0, memory.byteSize());
    list.clear();
    for (int i = 0; i < ANSWERS; i++) {
      list.add(headers, (long) i * HEADER_BYTES, HEADER_BYTES);
      list.addRange(data, (long) i * DATA_BYTES, DATA_BYTES);
    }
    long total = list.totalBytes();
    list.consume(total / 3);
    list.consume(list.totalBytes());
    return total;
  }
}
