package io.remora.sim;

import java.util.ArrayList;
import java.util.List;

/**
 * What each block of a volume may hold, from what its host was told. Belongs to the simulation's thread.
 *
 * <p>A change is in flight, done (answered with success), or uncertain (answered with a failure, or lost with the power): it may have
 * happened or not. A block may hold what a change wrote unless a done change began after that one had ended. A power loss makes all
 * done changes uncertain that no flush covers; a kill changes nothing.
 */
final class VolumeModel {
  private static final long NEVER = Long.MAX_VALUE;

  /** A change of a range of blocks. */
  final class Change {
    final int first;
    final int count;
    private final long sequence;
    private final long begun = ++tick;
    private long ended = NEVER;
    private boolean done;
    private boolean durable;
    private int darkness = powerLosses;

    private Change(int first, int count, long sequence) {
      this.first = first;
      this.count = count;
      this.sequence = sequence;
    }

    /** What it writes to {@code block}. */
    long stamp(int block) {
      return sequence == 0 ? Stamp.ZEROS : Stamp.of(volume, block, sequence);
    }

    private boolean endedBefore(Change other) {
      return ended < other.begun;
    }
  }

  /** What a flush that begins now covers. */
  final class Flush {
    private final long begun = ++tick;
  }

  private final int volume;
  private final List<List<Change>> blocks = new ArrayList<>();
  private final List<Change> unflushed = new ArrayList<>();
  private long tick;
  private long sequence;
  private int powerLosses;
  private int reads;

  /** A volume of zeros; {@code volume} (1 to 127) is what its stamps carry. */
  VolumeModel(int volume, int blockCount) {
    this.volume = volume;
    grow(blockCount);
  }

  int volume() {
    return volume;
  }

  int blockCount() {
    return blocks.size();
  }

  /** The volume has been made larger; what that adds is zeros. */
  void grow(int blockCount) {
    Change zeros = new Change(0, 0, 0);
    zeros.ended = ++tick;
    zeros.done = true;
    zeros.durable = true;
    while (blocks.size() < blockCount) {
      List<Change> changes = new ArrayList<>(2);
      changes.add(zeros);
      blocks.add(changes);
    }
  }

  /** A request begins that may see what is there; returns when, for {@link #check}. */
  long beginRead() {
    reads++;
    return ++tick;
  }

  /** Such a request has ended. */
  void endRead() {
    reads--;
  }

  /** A write begins. */
  Change write(int first, int count) {
    return begin(new Change(first, count, ++sequence));
  }

  /** The range becomes zeros. */
  Change zero(int first, int count) {
    return begin(new Change(first, count, 0));
  }

  private Change begin(Change change) {
    for (int i = change.first; i < change.first + change.count; i++) {
      blocks.get(i).add(change);
    }
    return change;
  }

  /** It was answered with success; {@code durably}: with force unit access. */
  void done(Change change, boolean durably) {
    if (!durably && change.darkness < powerLosses) {
      // Its answer may have been on the way when the power went, and what it wrote may have gone too.
      failed(change);
      return;
    }
    change.ended = ++tick;
    change.done = true;
    change.durable = durably;
    if (durably) {
      prune(change);
    } else {
      unflushed.add(change);
    }
  }

  /** It was answered with a failure: any of its blocks may be written or not. */
  void failed(Change change) {
    change.ended = ++tick;
    change.darkness = powerLosses;
  }

  /** A flush begins. */
  Flush flush() {
    return new Flush();
  }

  /** It was answered with success. */
  void flushed(Flush flush) {
    for (int i = unflushed.size() - 1; i >= 0; i--) {
      Change change = unflushed.get(i);
      if (change.ended < flush.begun) {
        unflushed.remove(i);
        change.durable = true;
        prune(change);
      }
    }
  }

  /** The power of the volume's machine has gone. */
  void powerLost() {
    powerLosses++;
    for (Change change : unflushed) {
      change.done = false;
    }
    unflushed.clear();
  }

  /** Whether a change of the range is in flight, or has begun since {@code since}. */
  boolean disturbed(int first, int count, long since) {
    for (int i = first; i < first + count; i++) {
      for (Change change : blocks.get(i)) {
        if (change.ended == NEVER || change.begun > since) {
          return true;
        }
      }
    }
    return false;
  }

  /** What {@code block} holds; {@link Stamp#MIXED} when it may be one of several. */
  long certain(int block) {
    long only = Stamp.MIXED;
    List<Change> changes = blocks.get(block);
    for (Change change : changes) {
      if (possible(change, changes, NEVER)) {
        if (only != Stamp.MIXED && only != change.stamp(block)) {
          return Stamp.MIXED;
        }
        only = change.stamp(block);
      }
    }
    return only;
  }

  /**
   * A read that began at {@code since} and ends now has found {@code stamp} in {@code block}. Throws when that cannot be; else the model
   * knows more than before.
   */
  void check(int block, long stamp, long since) {
    List<Change> changes = blocks.get(block);
    Change found = null;
    for (int i = changes.size() - 1; i >= 0 && found == null; i--) {
      Change change = changes.get(i);
      if (change.stamp(block) == stamp && possible(change, changes, since)) {
        found = change;
      }
    }
    if (found == null) {
      throw new AssertionError("volume %d, block %d: a read found %s, but it may only hold%s".formatted(volume, block,
          Stamp.describe(stamp), history(block, since)));
    }
    if (changes.size() > 1 && reads == 1 && settled(changes, since)) {
      Change known = new Change(block, 1, found.sequence);
      known.ended = ++tick;
      known.done = true;
      known.durable = true;
      changes.clear();
      changes.add(known);
    }
  }

  /** Whether what is read stays: all that may be there is from before a power loss, so it is on the medium and nothing comes late. */
  private boolean settled(List<Change> changes, long since) {
    for (Change change : changes) {
      boolean past = change.ended < since && (change.durable || (change.darkness < powerLosses && !change.done));
      if (!past) {
        return false;
      }
    }
    return true;
  }

  /** Whether what {@code change} wrote may be seen by a read that began at {@code since} and ends now. */
  private static boolean possible(Change change, List<Change> changes, long since) {
    for (int i = changes.size() - 1; i >= 0; i--) {
      Change other = changes.get(i);
      if (other.done && other.ended < since && change.endedBefore(other)) {
        return false;
      }
    }
    return true;
  }

  /** Forgets what no crash brings back, unless a read under way may still see it. */
  private void prune(Change durable) {
    if (reads > 0) {
      return;
    }
    for (int i = durable.first; i < durable.first + durable.count; i++) {
      blocks.get(i).removeIf(change -> change.endedBefore(durable));
    }
  }

  private String history(int block, long since) {
    StringBuilder text = new StringBuilder();
    List<Change> changes = blocks.get(block);
    for (Change change : changes) {
      text.append("\n    ").append(possible(change, changes, since) ? "possible: " : "past:     ")
          .append(Stamp.describe(change.stamp(block))).append(change.ended == NEVER
              ? ", in flight"
              : change.durable ? ", durable" : change.done ? ", done, not flushed" : ", uncertain");
    }
    return text.toString();
  }
}
