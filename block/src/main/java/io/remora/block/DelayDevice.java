package io.remora.block;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.base.Timer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A device that is as slow as it is told: completions of the device below come later. Shared by any number of loops; the delays
 * may be changed from any thread.
 */
public final class DelayDevice extends FilterDevice {
  /**
   * How much later.
   *
   * @param readNs for READ and COMPARE, in nanoseconds
   * @param writeNs for everything else
   * @param jitterNs up to so much more, evenly spread
   */
  public record Delays(long readNs, long writeNs, long jitterNs) {
    /** Checks them. */
    public Delays {
      Check.argument(readNs >= 0 && writeNs >= 0 && jitterNs >= 0, "delays must not be negative: %d, %d, %d", readNs,
          writeNs, jitterNs);
    }
  }

  private volatile Delays delays;

  /** {@code lower}, slower by {@code delays}. */
  public DelayDevice(BlockDevice lower, Delays delays) {
    super(lower);
    this.delays = delays;
  }

  /** Takes effect for requests that the lower device completes from now on. */
  public void delays(Delays now) {
    delays = now;
  }

  @Override
  public BlockChannel open(Loop loop) {
    return new Channel(loop, lower.open(loop));
  }

  private final class Channel extends CheckedChannel {
    private final BlockChannel below;
    private final Timer timer;
    private @Nullable Child free;
    /** A binary heap by due time. */
    private @Nullable Child[] due = new Child[64];
    private int count;

    Channel(Loop loop, BlockChannel below) {
      super(DelayDevice.this, loop);
      this.below = below;
      this.timer = loop.timer(this::fire);
    }

    @Override
    protected void execute(IoRequest request) {
      Child child = free;
      if (child == null) {
        child = new Child(this::done);
      } else {
        free = child.next;
        child.next = null;
      }
      child.begin(request);
      below.submit(child.io);
    }

    private void done(Child child) {
      Delays now = delays;
      long delayNs = child.io.op == IoRequest.Op.READ || child.io.op == IoRequest.Op.COMPARE
          ? now.readNs
          : now.writeNs;
      if (now.jitterNs > 0) {
        delayNs += loop().random().nextLong(now.jitterNs + 1);
      }
      if (delayNs == 0) {
        end(child);
        return;
      }
      child.dueNs = loop().clock().nanoTime() + delayNs;
      add(child);
      if (due[0] == child) {
        timer.arm(delayNs);
      }
    }

    private void fire() {
      long nowNs = loop().clock().nanoTime();
      Child first = due[0];
      while (first != null && first.dueNs - nowNs <= 0) {
        removeFirst();
        end(first);
        first = due[0];
      }
      if (first != null) {
        timer.arm(first.dueNs - nowNs);
      }
    }

    private void end(Child child) {
      IoRequest request = child.end();
      Status status = child.io.status;
      child.next = free;
      free = child;
      request.complete(status);
    }

    private void add(Child child) {
      if (count == due.length) {
        due = Arrays.copyOf(due, count * 2);
      }
      int at = count++;
      while (at > 0) {
        int up = (at - 1) / 2;
        Child parent = due[up];
        if (parent == null || parent.dueNs - child.dueNs <= 0) {
          break;
        }
        due[at] = parent;
        at = up;
      }
      due[at] = child;
    }

    private void removeFirst() {
      Child last = due[--count];
      due[count] = null;
      if (count == 0 || last == null) {
        return;
      }
      int at = 0;
      while (true) {
        int down = 2 * at + 1;
        if (down >= count) {
          break;
        }
        if (down + 1 < count && before(down + 1, down)) {
          down++;
        }
        Child below = due[down];
        if (below == null || last.dueNs - below.dueNs <= 0) {
          break;
        }
        due[at] = below;
        at = down;
      }
      due[at] = last;
    }

    private boolean before(int a, int b) {
      Child first = due[a];
      Child second = due[b];
      return first != null && second != null && first.dueNs - second.dueNs < 0;
    }

    @Override
    protected void onClose() {
      below.close();
    }
  }
}
