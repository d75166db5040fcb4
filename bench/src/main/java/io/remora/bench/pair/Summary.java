package io.remora.bench.pair;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What pairs of runs say, all with the processors at the same distance: ours and the peer's.
 *
 * @param kind what differs between the two runs of a pair
 * @param under what is the same: the driver's name, or the target's
 * @param ours the name of our target or driver
 * @param peer the name of the other
 * @param rejected how many pairs were thrown away meanwhile
 */
record Summary(Kind kind, String under, String ours, String peer, Work work, Run.Distance distance, List<Pair> pairs,
    int rejected) {
  /** What is compared. */
  enum Kind {
    /** Two targets under the same driver. */
    TARGETS,
    /** Two drivers on the same target. */
    DRIVERS
  }

  /** Two runs of one round. */
  record Pair(Run ours, Run peers) {
    /** A figure of ours over the peer's. */
    double ratio(ToDoubleFunction<Figures> figure) {
      return figure.applyAsDouble(ours.figures()) / figure.applyAsDouble(peers.figures());
    }
  }

  /** The median of ours. */
  double ours(ToDoubleFunction<Run> value) {
    return median(pairs.stream().map(Pair::ours).mapToDouble(value).toArray());
  }

  /** The median of the peer's. */
  double peers(ToDoubleFunction<Run> value) {
    return median(pairs.stream().map(Pair::peers).mapToDouble(value).toArray());
  }

  /** The median of the pairs' ratios of a figure. */
  double ratio(ToDoubleFunction<Figures> figure) {
    return median(pairs.stream().mapToDouble(pair -> pair.ratio(figure)).toArray());
  }

  double lowestRatio() {
    return pairs.stream().mapToDouble(pair -> pair.ratio(Figures::iops)).min().orElse(Double.NaN);
  }

  double highestRatio() {
    return pairs.stream().mapToDouble(pair -> pair.ratio(Figures::iops)).max().orElse(Double.NaN);
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
