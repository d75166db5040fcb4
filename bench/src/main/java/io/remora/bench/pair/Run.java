package io.remora.bench.pair;

/**
 * One driver against one target, once.
 *
 * @param driver its name
 * @param target its name
 * @param beforeNs round trip of a cache line between the two processors before the run, in nanoseconds
 * @param afterNs the same after it
 * @param use who used the processors
 * @param congestion the congestion control that was set
 */
record Run(String driver, String target, Work work, Figures figures, double beforeNs, double afterNs,
    Samples.Use use, String congestion) {

  /** Where the two processors were. */
  enum Distance {
    NEAR, FAR, MIXED;

    /** For people. */
    String text() {
      return switch (this) {
        case NEAR -> "near";
        case FAR -> "far";
        case MIXED -> "mixed";
      };
    }
  }

  /** Where the processors were, if round trips below {@code nearNs} mean near. */
  Distance distance(double nearNs) {
    boolean before = beforeNs < nearNs;
    boolean after = afterNs < nearNs;
    return before != after ? Distance.MIXED : before ? Distance.NEAR : Distance.FAR;
  }

  /** Processor time of the target per request, in microseconds. */
  double targetCpuUs() {
    return use.target() * 1e6 / figures.iops();
  }

  /** Processor time of the driver per request, in microseconds. */
  double driverCpuUs() {
    return use.driver() * 1e6 / figures.iops();
  }
}
