package io.remora.cli.load;

import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What a load has measured. Immutable by convention.
 *
 * @param reads the reads
 * @param writes the writes
 * @param elapsedNs how long was measured: the longest of all jobs
 * @param cpuNs processor time that was used meanwhile, by whatever clock was given
 * @param verifiedBytes how much was read and found as written
 * @param troubles what failed; empty when all went well
 */
public record Result(Direction reads, Direction writes, long elapsedNs, long cpuNs, long verifiedBytes,
    List<String> troubles) {

  /**
   * One direction.
   *
   * @param operations how many were completed
   * @param blockBytes the size of each
   * @param latencyNs submission to completion
   */
  public record Direction(long operations, int blockBytes, Histogram latencyNs) {
    /** How much was moved. */
    public long bytes() {
      return operations * blockBytes;
    }
  }

  /** Operations of both directions. */
  public long operations() {
    return reads.operations() + writes.operations();
  }

  /** Operations per second. */
  public double iops() {
    return elapsedNs == 0 ? 0 : operations() * 1e9 / elapsedNs;
  }

  /** Bytes per second. */
  public double bytesPerSecond() {
    return elapsedNs == 0 ? 0 : (reads.bytes() + writes.bytes()) * 1e9 / elapsedNs;
  }

  /** Processor time per operation in microseconds. */
  public double cpuPerOperationUs() {
    return operations() == 0 ? 0 : cpuNs / 1e3 / operations();
  }

  /** Latencies of both directions. */
  public Histogram latencyNs() {
    Histogram both = reads.latencyNs().copy();
    both.add(writes.latencyNs());
    return both;
  }

  /** Whether nothing failed. */
  public boolean ok() {
    return troubles.isEmpty();
  }
}
