package io.remora.verbs.tool;

/**
 * What perftest says of a run.
 *
 * @param bytes of each operation
 * @param iterations how many there were
 * @param peakMiBPerSecond the best stretch; 0 when that was not measured
 * @param averageMiBPerSecond of the whole run
 * @param millionsPerSecond operations, in millions
 */
public record PerftestReport(long bytes, long iterations, double peakMiBPerSecond, double averageMiBPerSecond,
    double millionsPerSecond) {
  /** Nothing yet. */
  static final PerftestReport NONE = new PerftestReport(0, 0, 0, 0, 0);

  PerftestReport withBytes(long value) {
    return new PerftestReport(value, iterations, peakMiBPerSecond, averageMiBPerSecond, millionsPerSecond);
  }

  PerftestReport withIterations(long value) {
    return new PerftestReport(bytes, value, peakMiBPerSecond, averageMiBPerSecond, millionsPerSecond);
  }

  PerftestReport withPeak(double value) {
    return new PerftestReport(bytes, iterations, value, averageMiBPerSecond, millionsPerSecond);
  }

  PerftestReport withAverage(double value) {
    return new PerftestReport(bytes, iterations, peakMiBPerSecond, value, millionsPerSecond);
  }

  PerftestReport withRate(double value) {
    return new PerftestReport(bytes, iterations, peakMiBPerSecond, averageMiBPerSecond, value);
  }

  /** Of a run of {@code elapsedNs} nanoseconds. */
  static PerftestReport of(long bytes, long iterations, long elapsedNs) {
    double seconds = Math.max(1, elapsedNs) / 1e9;
    return new PerftestReport(bytes, iterations, 0, bytes * iterations / seconds / (1 << 20),
        iterations / seconds / 1e6);
  }
}
