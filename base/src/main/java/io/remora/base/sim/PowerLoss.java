package io.remora.base.sim;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;

/** What a power loss leaves of the writes that no completed flush covers. */
public enum PowerLoss {
  /** Nothing. */
  ALL_LOST,
  /** Everything, writes in flight too. */
  ALL_KEPT,
  /** What was completed, and nothing that was in flight: as after the end of a process on a machine that stays up. */
  COMPLETED_KEPT,
  /** Of each write some of its sectors of 512 bytes: the first, the last, or any. */
  EACH_TORN,
  /** Of each write all, nothing or some of its sectors, in any order: the newest may have landed before the oldest. */
  MIXED;

  /** A write and what is left of it. */
  record Survivor(MediumWrite write, BitSet sectors) {}

  /**
   * Decides.
   *
   * @param completed the completed writes in their order, with the sectors that were not durable
   * @param inFlight the writes in flight in the order of their submission
   */
  List<Survivor> survivors(List<Survivor> completed, List<Survivor> inFlight, SplittableRandom random) {
    List<Survivor> all = new ArrayList<>(completed);
    switch (this) {
      case ALL_LOST -> all.clear();
      case ALL_KEPT -> all.addAll(inFlight);
      case COMPLETED_KEPT -> {
      }
      case EACH_TORN -> {
        all.addAll(inFlight);
        all.replaceAll(write -> new Survivor(write.write, torn(write.sectors, random)));
      }
      case MIXED -> {
        all.addAll(inFlight);
        Collections.shuffle(all, random);
        all.replaceAll(write -> new Survivor(write.write, any(write.sectors, random)));
      }
    }
    return all;
  }

  /** All, nothing or some of {@code sectors}. */
  static BitSet any(BitSet sectors, SplittableRandom random) {
    return switch (random.nextInt(3)) {
      case 0 -> new BitSet();
      case 1 -> (BitSet) sectors.clone();
      default -> torn(sectors, random);
    };
  }

  /** Some of {@code sectors}: the first, the last, or any. */
  static BitSet torn(BitSet sectors, SplittableRandom random) {
    BitSet left = (BitSet) sectors.clone();
    int length = left.length();
    if (length == 0) {
      return left;
    }
    int cut = random.nextInt(length + 1);
    switch (random.nextInt(3)) {
      case 0 -> left.clear(cut, length);
      case 1 -> left.clear(0, cut);
      default -> {
        for (int i = left.nextSetBit(0); i >= 0; i = left.nextSetBit(i + 1)) {
          if (random.nextBoolean()) {
            left.clear(i);
          }
        }
      }
    }
    return left;
  }
}
