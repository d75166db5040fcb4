package io.remora.verbs.ibverbs;

/**
 * Keeps the place that {@link DriverQuirks#hasABadPlace} tells of from being given to a queue. Places are pages, the first free ones are given, and only the first page of a queue names it: one long queue,
 * made before all others and kept as long as the device is open, has the bad one in its middle. It costs 1 MiB.
 */
final class BadPlace {
  /** 32 bytes each: 256 pages and one more, from place 0 on. */
  private static final int ENTRIES = 32_768;

  private BadPlace() {}

  /** Makes the queue in {@code context}, the device {@code name}, which has no queue yet. */
  static void cover(VerbsLibrary verbs, long context, String name) {
    NativeErrors.check(verbs.createCq.call(context, ENTRIES, 0, 0, 0),
        "ibverbs: " + name + ": the queue that covers place 144");
  }
}
