package io.remora.block.pool;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a volume may hold, by 512-byte block and by the point in a recording. Every change writes one value of its own, zeros being 0,
 * so data of another volume, or of an earlier one, is never among what is possible.
 */
final class VolumeModel {
  static final int BLOCK = 512;
  static final int NEVER = Integer.MAX_VALUE;

  /** A change: of blocks, of the size, or of being there at all. */
  final class Change {
    final long value;
    final int begun;
    int completed = NEVER;
    int durable = NEVER;
    /** Many things happen between two steps of a recording; these are in their order. */
    final long begunTick = ++tick;
    long completedTick = Long.MAX_VALUE;

    Change(long value, int begun) {
      this.value = value;
      this.begun = begun;
    }

    void done(int point, boolean durably) {
      if (completed == NEVER) {
        completed = point;
        completedTick = ++tick;
      }
      durable = durably ? Math.min(durable, point) : durable;
    }

    private boolean before(Change other) {
      return completedTick < other.begunTick;
    }
  }

  final String name;
  final int number;
  private long tick;
  private final List<List<Change>> blocks = new ArrayList<>();
  private final List<Change> sizes = new ArrayList<>();
  private final List<Change> presence = new ArrayList<>();
  private final List<Change> unflushed = new ArrayList<>();

  VolumeModel(String name, int number, int maxBlocks) {
    this.name = name;
    this.number = number;
    for (int i = 0; i < maxBlocks; i++) {
      List<Change> changes = new ArrayList<>();
      Change zeros = new Change(0, -1);
      zeros.done(-1, true);
      changes.add(zeros);
      blocks.add(changes);
    }
    Change absent = new Change(0, -1);
    absent.done(-1, true);
    presence.add(absent);
  }

  /** Blocks hold {@code value}, from now on or later. */
  Change begin(int first, int count, long value, int point) {
    Change change = new Change(value, point);
    for (int i = first; i < first + count; i++) {
      blocks.get(i).add(change);
    }
    return change;
  }

  void completed(Change change, int point, boolean durably) {
    change.done(point, durably);
    if (!durably) {
      unflushed.add(change);
    }
  }

  /** Changes that a flush that begins now covers. */
  List<Change> completedChanges() {
    return new ArrayList<>(unflushed);
  }

  void flushed(List<Change> covered, int point) {
    covered.forEach(change -> change.done(point, true));
    unflushed.removeAll(covered);
  }

  Change beginSize(long size, int point) {
    Change change = new Change(size, point);
    sizes.add(change);
    return change;
  }

  Change beginPresence(boolean there, int point) {
    Change change = new Change(there ? 1 : 0, point);
    presence.add(change);
    return change;
  }

  /** What block {@code block} may hold after a crash at {@code point}. */
  Set<Long> possible(int block, int point, boolean powerLoss) {
    return possible(blocks.get(block), point, powerLoss);
  }

  /** Whether something else than zeros was written to {@code block}, or is being written, at {@code point}. */
  boolean everWritten(int block, int point) {
    return blocks.get(block).stream().anyMatch(change -> change.value != 0 && change.begun <= point);
  }

  /** Now; for {@link #readable}. */
  long tick() {
    return ++tick;
  }

  /** What a read of {@code block} may give that ends now and was submitted at {@code submittedTick}. */
  Set<Long> readable(int block, long submittedTick) {
    Set<Long> values = new HashSet<>();
    for (Change change : blocks.get(block)) {
      if (blocks.get(block).stream().noneMatch(other -> other.completedTick < submittedTick && change.before(other))) {
        values.add(change.value);
      }
    }
    return values;
  }

  Set<Long> possibleSizes(int point) {
    return possible(sizes, point, true);
  }

  Set<Long> possiblePresence(int point) {
    return possible(presence, point, true);
  }

  /** A change is possible unless one that came after its end is certain. */
  private static Set<Long> possible(List<Change> changes, int point, boolean powerLoss) {
    Set<Long> values = new HashSet<>();
    for (int i = 0; i < changes.size(); i++) {
      Change change = changes.get(i);
      if (change.begun <= point && !superseded(change, changes, point, powerLoss)) {
        values.add(change.value);
      }
    }
    return values;
  }

  private static boolean superseded(Change change, List<Change> changes, int point, boolean powerLoss) {
    for (int i = changes.size() - 1; i >= 0; i--) {
      Change other = changes.get(i);
      if ((powerLoss ? other.durable : other.completed) <= point && change.before(other)) {
        return true;
      }
    }
    return false;
  }

  /** What happened to {@code block}, for messages. */
  String history(int block) {
    StringBuilder text = new StringBuilder();
    for (Change change : blocks.get(block)) {
      text.append("\n    ").append(change.value).append(" begun at ").append(change.begun).append(", completed ")
          .append(change.completed == NEVER ? "never" : change.completed).append(", durable ")
          .append(change.durable == NEVER ? "never" : change.durable);
    }
    return text.toString();
  }
}
