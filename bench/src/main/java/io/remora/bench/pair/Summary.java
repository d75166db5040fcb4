package io.remora.bench.pair;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What pairs of runs say, all with the processors at the same distance: A is ours, B the peer's.
 *
 * @param rejected how many runs were thrown away meanwhile
 */
record Summary(String driver, String peer, Work work, Run.Distance distance, List<Pair> pairs, int rejected) {
  /** Two runs one after the other. */
  record Pair(Run ours, Run peers) {
    /** Requests per second of ours over the peer's. */
    double ratio() {
      return ours.figures().iops() / peers.figures().iops();
    }
  }

  double ours(ToDoubleFunction<Run> value) {
    return median(pairs.stream().map(Pair::ours).mapToDouble(value).toArray());
  }

  double peers(ToDoubleFunction<Run> value) {
    return median(pairs.stream().map(Pair::peers).mapToDouble(value).toArray());
  }

  /** The median of the pairs' ratios. */
  double ratio() {
    return median(pairs.stream().mapToDouble(Pair::ratio).toArray());
  }

  double lowestRatio() {
    return pairs.stream().mapToDouble(Pair::ratio).min().orElse(Double.NaN);
  }

  double highestRatio() {
    return pairs.stream().mapToDouble(Pair::ratio).max().orElse(Double.NaN);
  }

  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length == 0
        ? Double.NaN
        : sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
