package io.remora.block;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Status;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A device that fails by rule. Shared by any number of loops; rules may be added and removed from any thread. The first rule
 * that applies to a request decides.
 */
public final class ErrorDevice extends FilterDevice {
  /**
   * When to fail, and how.
   *
   * @param ops the operations that it is about
   * @param offset where the range begins; requests that touch it are meant. A FLUSH touches every range.
   * @param length the length of the range
   * @param skip so many requests that match are let through first
   * @param count so many are failed after that, at most
   * @param probability of failing one that is due, 0 to 1
   * @param status how it fails
   * @param afterwards whether the device below does it nevertheless, before the failure is reported
   */
  public record Rule(Set<Op> ops, long offset, long length, long skip, long count, double probability, Status status,
      boolean afterwards) {
    /** Checks and copies. */
    public Rule {
      Check.argument(!ops.isEmpty() && offset >= 0 && length > 0 && skip >= 0 && count > 0, "rule without effect");
      Check.argument(probability >= 0 && probability <= 1, "probability %s", probability);
      Check.argument(!status.isOk(), "a failure cannot have the status OK");
      ops = Set.copyOf(ops);
    }

    /** Every request of one of {@code ops} fails with MEDIUM_ERROR. */
    public static Rule failing(Op first, Op... ops) {
      return new Rule(EnumSet.of(first, ops), 0, Long.MAX_VALUE, 0, Long.MAX_VALUE, 1, Status.MEDIUM_ERROR, false);
    }

    /** The same for those that touch a range. */
    public Rule at(long rangeOffset, long rangeLength) {
      return new Rule(ops, rangeOffset, rangeLength, skip, count, probability, status, afterwards);
    }

    /** The same for those after the first {@code before}, {@code most} times. */
    public Rule times(long before, long most) {
      return new Rule(ops, offset, length, before, most, probability, status, afterwards);
    }

    /** The same with a probability. */
    public Rule sometimes(double chance) {
      return new Rule(ops, offset, length, skip, count, chance, status, afterwards);
    }

    /** The same with another status. */
    public Rule with(Status how) {
      return new Rule(ops, offset, length, skip, count, probability, how, afterwards);
    }

    /** The same, failing after the work was done. */
    public Rule afterTheWork() {
      return new Rule(ops, offset, length, skip, count, probability, status, true);
    }
  }

  /** A rule in force. */
  public static final class Fault {
    private final Rule rule;
    private final AtomicLong matches = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong state;

    private Fault(Rule rule, long seed) {
      this.rule = rule;
      this.state = new AtomicLong(seed);
    }

    /** How many requests it has failed. */
    public long failures() {
      return Math.min(failures.get(), rule.count);
    }

    private boolean applies(IoRequest request) {
      if (!rule.ops.contains(request.op) || (request.op != Op.FLUSH && !touches(request))) {
        return false;
      }
      return matches.getAndIncrement() >= rule.skip && lucky() && failures.get() < rule.count
          && failures.getAndIncrement() < rule.count;
    }

    private boolean touches(IoRequest request) {
      long rangeEnd = rule.length > Long.MAX_VALUE - rule.offset ? Long.MAX_VALUE : rule.offset + rule.length;
      return request.offset < rangeEnd && rule.offset < request.offset + request.length;
    }

    /** SplitMix64 over a counter, so that loops can share it. */
    private boolean lucky() {
      if (rule.probability >= 1) {
        return true;
      }
      long z = state.addAndGet(0x9E3779B97F4A7C15L);
      z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
      z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
      return ((z ^ z >>> 31) >>> 11) * 0x1.0p-53 < rule.probability;
    }
  }

  private volatile Fault[] faults = {};

  /** {@code lower}, without faults yet. */
  public ErrorDevice(BlockDevice lower) {
    super(lower);
  }

  /** Puts {@code rule} in force, after those that are; {@code seed} decides its chances. */
  public synchronized Fault add(Rule rule, long seed) {
    Fault[] more = Arrays.copyOf(faults, faults.length + 1);
    Fault fault = new Fault(rule, seed);
    more[more.length - 1] = fault;
    faults = more;
    return fault;
  }

  /** Ends one. */
  public synchronized void remove(Fault fault) {
    faults = Arrays.stream(faults).filter(other -> other != fault).toArray(Fault[]::new);
  }

  /** Ends all. */
  public synchronized void clear() {
    faults = new Fault[0];
  }

  private @Nullable Fault match(IoRequest request) {
    Fault[] now = faults;
    for (Fault fault : now) {
      if (fault.applies(request)) {
        return fault;
      }
    }
    return null;
  }

  @Override
  public BlockChannel open(Loop loop) {
    return new Channel(loop, lower.open(loop));
  }

  private final class Channel extends CheckedChannel {
    private final BlockChannel below;
    private @Nullable Child free;

    Channel(Loop loop, BlockChannel below) {
      super(ErrorDevice.this, loop);
      this.below = below;
    }

    @Override
    protected void execute(IoRequest request) {
      Fault fault = match(request);
      if (fault != null && !fault.rule.afterwards) {
        finish(request, fault.rule.status);
        return;
      }
      Child child = free;
      if (child == null) {
        child = new Child(this::done);
      } else {
        free = child.next;
      }
      child.begin(request);
      child.verdict = fault == null ? Status.OK : fault.rule.status;
      below.submit(child.io);
    }

    private void done(Child child) {
      IoRequest request = child.end();
      Status status = child.verdict.isOk() ? child.io.status : child.verdict;
      child.next = free;
      free = child;
      request.complete(status);
    }

    @Override
    protected void onClose() {
      below.close();
    }
  }
}
