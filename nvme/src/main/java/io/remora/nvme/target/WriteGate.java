package io.remora.nvme.target;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Through which the writes of one namespace go, on every loop: it is open nearly always, which costs a write one read of a field. It closes
 * for a range while a {@link RangeClaim} has it, and for all when the namespace is write protected. From any thread.
 *
 * <p>A claim is granted in three steps: it is published; every loop is asked, and says for which writes in the range, begun before it
 * saw the claim, must be waited; these have ended. A write that finds its range claimed waits on its loop until it is released. Claims
 * of one namespace are granted one after the other, as they came.
 */
final class WriteGate {
  /** What closes it, at one moment. */
  private record Bar(@Nullable RangeClaim claim, boolean writeProtected) {}

  /** What may be done with a write now. */
  enum Passage {
    OPEN, CLAIMED, WRITE_PROTECTED
  }

  private final ArrayDeque<RangeClaim> claims = new ArrayDeque<>();
  /** Null: open. */
  private volatile @Nullable Bar bar;

  /** Whether nothing at all stands in the way. */
  boolean open() {
    return bar == null;
  }

  /** Whether hosts may not write. */
  boolean writeProtected() {
    Bar now = bar;
    return now != null && now.writeProtected;
  }

  /** Whether {@code length} bytes from {@code offset} on may be written. */
  Passage passage(long offset, long length) {
    Bar now = bar;
    if (now == null) {
      return Passage.OPEN;
    }
    if (now.writeProtected) {
      return Passage.WRITE_PROTECTED;
    }
    RangeClaim claim = now.claim;
    return claim != null && claim.overlaps(offset, length) ? Passage.CLAIMED : Passage.OPEN;
  }

  /** Queues {@code claim}, which is granted some time, perhaps soon. */
  void claim(Target target, Namespace namespace, RangeClaim claim) {
    synchronized (this) {
      claims.add(claim);
      if (claims.size() > 1) {
        return;
      }
      publish(claim, writeProtected());
    }
    target.drainWrites(namespace, claim);
  }

  /** Gives the range free that {@code claim}, the one that is granted, has. */
  void release(Target target, Namespace namespace, RangeClaim claim) {
    RangeClaim next;
    synchronized (this) {
      RangeClaim first = claims.remove();
      assert first == claim;
      next = claims.peek();
      publish(next, writeProtected());
    }
    target.resumeWrites(namespace);
    if (next != null) {
      target.drainWrites(namespace, next);
    }
  }

  /** Lets hosts write, or not. To be called while a claim on the whole namespace is granted, or before there is anybody. */
  synchronized void protect(boolean on) {
    publish(claims.peek(), on);
  }

  private void publish(@Nullable RangeClaim claim, boolean writeProtected) {
    bar = claim == null && !writeProtected ? null : new Bar(claim, writeProtected);
  }
}
