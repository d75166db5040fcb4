package io.remora.bench.pair;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * What a ratio of ours to the peer's has to reach.
 *
 * @param name of the figure
 * @param figure which one it is
 * @param limit of the median of the pairs' ratios
 * @param atLeast whether more is better
 */
record Bar(String name, ToDoubleFunction<Figures> figure, double limit, boolean atLeast) {
  private static final double RATE = 0.7;
  private static final double MEDIAN = 1.5;
  private static final double TAIL = 2;

  /** The bars that are set for a comparison; for many there is none. */
  static List<Bar> of(Summary.Kind kind, Work work) {
    List<Bar> bars = new ArrayList<>();
    boolean pure = work.pattern().equals("randread") || work.pattern().equals("randwrite");
    if (kind == Summary.Kind.DRIVERS || (!work.large() && pure && work.depth() >= 32)) {
      bars.add(new Bar("IOPS", Figures::iops, RATE, true));
    }
    if (kind == Summary.Kind.TARGETS && !work.large() && work.depth() == 1) {
      bars.add(new Bar("p50", Figures::p50Us, MEDIAN, false));
    }
    if (kind == Summary.Kind.TARGETS && work.depth() == 32) {
      bars.add(new Bar("p99", Figures::p99Us, TAIL, false));
    }
    return bars;
  }

  /** Whether {@code row} reaches it. */
  boolean passed(Summary row) {
    double ratio = row.ratio(figure);
    return atLeast ? ratio >= limit : ratio <= limit;
  }

  /** For people: the figure, its ratio, the limit, the verdict. */
  String verdict(Summary row) {
    return String.format(Locale.ROOT, "%s %.2f %s %s: %s", name, row.ratio(figure), atLeast ? "≥" : "≤",
        Double.toString(limit), passed(row) ? "pass" : "**missed**");
  }
}
