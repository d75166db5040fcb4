package io.remora.base.sim;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** What a file may hold, by the contract of {@code DiskFile} alone: the writes of a run, and what was known of each when. */
final class WriteHistory {
  static final int SECTOR = 512;
  static final int NEVER = Integer.MAX_VALUE;

  /** A write that fills its sectors with {@code value}; times are positions of a {@link Recording}. */
  static final class Write {
    final int firstSector;
    final int sectors;
    final int value;
    final int submitted;
    int completed = NEVER;
    int durable = NEVER;

    Write(int firstSector, int sectors, int value, int submitted) {
      this.firstSector = firstSector;
      this.sectors = sectors;
      this.value = value;
      this.submitted = submitted;
    }

    boolean covers(int sector) {
      return sector >= firstSector && sector < firstSector + sectors;
    }
  }

  private final List<Write> writes = new ArrayList<>();

  Write begin(int firstSector, int sectors, int value, int now) {
    Write write = new Write(firstSector, sectors, value, now);
    writes.add(write);
    return write;
  }

  /** The writes that a flush which is submitted now covers. */
  List<Write> completed() {
    return writes.stream().filter(write -> write.completed != NEVER).toList();
  }

  /** What {@code sector} may hold after a power loss at {@code point}. */
  Set<Integer> afterPowerLoss(int sector, int point) {
    return possible(sector, point, write -> write.durable <= point);
  }

  /** What {@code sector} may hold after a kill at {@code point}, or for a read that was submitted then and is over now. */
  Set<Integer> afterCompletions(int sector, int point, int now) {
    return possible(sector, now, write -> write.completed <= point);
  }

  /** All that was submitted by {@code now} and was not overwritten by what is certainly there. */
  private Set<Integer> possible(int sector, int now, Predicate<Write> certain) {
    List<Write> here = writes.stream().filter(write -> write.covers(sector) && write.submitted < now).toList();
    List<Write> there = here.stream().filter(certain).toList();
    Set<Integer> values = new HashSet<>();
    if (there.isEmpty()) {
      values.add(0);
    }
    for (Write write : here) {
      if (there.stream().noneMatch(later -> write.completed <= later.submitted)) {
        values.add(write.value);
      }
    }
    return values;
  }
}
