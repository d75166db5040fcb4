package io.remora.nvme.host;

import java.util.ArrayList;
import java.util.List;

/**
 * The associations that are gone here but may live on at the other end, see {@link HostOptions.Resend}. Belongs to the
 * controller's first loop.
 */
final class Fence {
  private record Old(int number, int cntlid, long deadNs) {}

  private final List<Old> olds = new ArrayList<>();
  private int last;

  /** An association that the controller itself forgets at {@code deadNs} of the loop's clock at the latest. */
  void add(int number, int cntlid, long deadNs) {
    olds.add(new Old(number, cntlid, deadNs));
    last = Math.max(last, number);
  }

  /** An association that is known to be dead. */
  void dead(int number) {
    last = Math.max(last, number);
  }

  /** The new association got {@code cntlid}: whoever had it before is dead. */
  void taken(int cntlid) {
    olds.removeIf(old -> old.cntlid == cntlid);
  }

  /** The subsystem has these controllers and no others. */
  void alive(List<Integer> cntlids) {
    olds.removeIf(old -> !cntlids.contains(old.cntlid));
  }

  /** Whether nothing of the past is alive at {@code nowNs}. */
  boolean open(long nowNs) {
    olds.removeIf(old -> nowNs - old.deadNs >= 0);
    return olds.isEmpty();
  }

  /** Whether nothing of the past is left to wait for. */
  boolean isEmpty() {
    return olds.isEmpty();
  }

  /** The last association that was lost. */
  int last() {
    return last;
  }

  /** The identifiers of associations that may be alive. */
  List<Integer> suspects() {
    return olds.stream().map(Old::cntlid).toList();
  }

  /** The lowest identifier of an association that may be alive. */
  int firstCntlid() {
    return olds.stream().mapToInt(Old::cntlid).min().orElse(0);
  }
}
