package io.remora.bench.flame;

import java.util.TreeMap;

/** A function as called by a certain chain of others: how many samples were taken in it and in what it called. */
final class Frame {
  /** Whose code it is. */
  enum Kind {
    KERNEL("#e8a15c"), JAVA("#8fbf6f"), NATIVE("#e3d06a"), ROOT("#bcbcbc");

    private final String colour;

    Kind(String colour) {
      this.colour = colour;
    }

    /** For SVG. */
    String colour() {
      return colour;
    }
  }

  private final String name;
  private final Kind kind;
  private final TreeMap<String, Frame> callees = new TreeMap<>();
  private long samples;

  Frame(String name, Kind kind) {
    this.name = name;
    this.kind = kind;
  }

  String name() {
    return name;
  }

  Kind kind() {
    return kind;
  }

  long samples() {
    return samples;
  }

  Iterable<Frame> callees() {
    return callees.values();
  }

  /** One more sample in it. */
  void count() {
    samples++;
  }

  /** What it calls of that name. */
  Frame callee(String called, Kind of) {
    return callees.computeIfAbsent(called, each -> new Frame(each, of));
  }

  /** How many calls deep the deepest sample of at least {@code least} samples is, itself included. */
  int depth(long least) {
    int deepest = 0;
    for (Frame callee : callees.values()) {
      if (callee.samples >= least) {
        deepest = Math.max(deepest, callee.depth(least));
      }
    }
    return deepest + 1;
  }
}
