package io.remora.bench.pair;

import java.util.ArrayList;
import java.util.List;

/**
 * What is done to a target.
 *
 * @param pattern as fio calls it
 * @param readPercent the share of reads of randrw
 * @param blockBytes the size of each request
 * @param depth requests in flight
 */
record Work(String pattern, int readPercent, int blockBytes, int depth) {
  private static final int SMALL = 4 << 10;
  private static final int LARGE = 128 << 10;

  /** The published ones. */
  static List<Work> all() {
    List<Work> all = new ArrayList<>();
    for (int depth : new int[] {1, 32, 128}) {
      all.add(new Work("randread", 100, SMALL, depth));
      all.add(new Work("randwrite", 0, SMALL, depth));
      all.add(new Work("randrw", 70, SMALL, depth));
    }
    all.add(new Work("read", 100, LARGE, 16));
    all.add(new Work("write", 0, LARGE, 16));
    return all;
  }

  /** For options and files, for example {@code randread-4k-q32}. */
  String name() {
    return pattern + "-" + (blockBytes >> 10) + "k-q" + depth;
  }

  /** For people. */
  String title() {
    String what = switch (pattern) {
      case "randread" -> "random read";
      case "randwrite" -> "random write";
      case "randrw" -> "random " + readPercent + "/" + (100 - readPercent);
      case "read" -> "sequential read";
      default -> "sequential write";
    };
    return (blockBytes >> 10) + " KiB " + what + ", depth " + depth;
  }

  /** Whether bandwidth says more than requests per second. */
  boolean large() {
    return blockBytes >= LARGE;
  }
}
