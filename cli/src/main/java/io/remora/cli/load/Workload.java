package io.remora.cli.load;

import io.remora.base.Check;
import java.util.Locale;

/**
 * What to do to a device, in fio's words.
 *
 * @param pattern which operations, where
 * @param readPercent the share of reads of a mixed pattern, 0 to 100
 * @param blockBytes the size of each request
 * @param ioDepth requests in flight per job
 * @param jobs loops that do it; each works on its own equal part of the range
 * @param offset where the range begins, in bytes
 * @param size how long the range is, in bytes
 * @param runtimeNs how long to go on, round and round; 0: once over the range
 * @param rampNs how long to go on before measuring
 * @param verify whether written blocks carry a checksum, and are read back and checked
 * @param seed decides offsets and patterns
 */
public record Workload(Pattern pattern, int readPercent, int blockBytes, int ioDepth, int jobs, long offset, long size,
    long runtimeNs, long rampNs, boolean verify, long seed) {

  /** The most memory that the requests in flight may hold together, in bytes. */
  private static final long MAX_MEMORY = 1L << 30;

  /** Which operations, where; named as fio names them. */
  public enum Pattern {
    /** In order. */
    READ(false, true, false),
    /** In order. */
    WRITE(false, false, true),
    /** A mixture, in order. */
    RW(false, true, true),
    /** Anywhere. */
    RANDREAD(true, true, false),
    /** Anywhere. */
    RANDWRITE(true, false, true),
    /** A mixture, anywhere. */
    RANDRW(true, true, true);

    private final boolean random;
    private final boolean reads;
    private final boolean writes;

    Pattern(boolean random, boolean reads, boolean writes) {
      this.random = random;
      this.reads = reads;
      this.writes = writes;
    }

    /** Whether offsets are random. */
    public boolean random() {
      return random;
    }

    /** Whether it reads. */
    public boolean reads() {
      return reads;
    }

    /** Whether it writes. */
    public boolean writes() {
      return writes;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Checks each value by itself and together. */
  public Workload {
    Check.argument(readPercent >= 0 && readPercent <= 100, "rwmixread %d is not a percentage", readPercent);
    Check.argument(blockBytes >= 512 && blockBytes <= 64 << 20, "bs %d: must be 512 bytes to 64 MiB", blockBytes);
    Check.argument(ioDepth >= 1 && ioDepth <= 65536, "iodepth %d: must be 1 to 65536", ioDepth);
    Check.argument(jobs >= 1 && jobs <= 256, "numjobs %d: must be 1 to 256", jobs);
    Check.argument(offset >= 0 && offset % blockBytes == 0, "offset %d is not a multiple of bs %d", offset, blockBytes);
    Check.argument(size / blockBytes >= jobs,
        "a range of %d bytes has less than one block of %d bytes for each of %d jobs",
        size, blockBytes, jobs);
    Check.argument((long) blockBytes * ioDepth * jobs <= MAX_MEMORY,
        "bs x iodepth x numjobs is %d bytes: more than the %d that may be in flight",
        (long) blockBytes * ioDepth * jobs,
        MAX_MEMORY);
    Check.argument(runtimeNs >= 0 && rampNs >= 0, "a negative time");
    Check.argument(!verify || size / blockBytes <= Integer.MAX_VALUE - 8,
        "verify keeps a note per block and %d are too many: make the size smaller or bs larger", size / blockBytes);
  }

  /** How many blocks the range has. */
  public long blocks() {
    return size / blockBytes;
  }
}
