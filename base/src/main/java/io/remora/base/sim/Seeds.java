package io.remora.base.sim;

import java.util.SplittableRandom;
import java.util.stream.LongStream;

/**
 * The seeds that a test runs with: a fixed few, so that a build repeats; or, by the system property {@code remora.seed}, the one
 * of a failure; or, by {@code remora.seeds}, as many as asked for, starting anywhere but where the fixed ones are.
 */
public final class Seeds {
  private Seeds() {}

  /** {@code count} seeds, unless the properties say otherwise. */
  public static long[] of(int count) {
    Long one = Long.getLong("remora.seed");
    if (one != null) {
      return new long[] {one};
    }
    Integer many = Integer.getInteger("remora.seeds");
    long first = many == null ? 1 : new SplittableRandom().nextLong() >>> 1;
    return LongStream.range(first, first + (many == null ? count : many)).toArray();
  }
}
