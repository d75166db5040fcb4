package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;
import org.jspecify.annotations.Nullable;

/**
 * Watches the {@link Fence} of one controller while an association is live, and lets the queues send what it holds back as
 * soon as nothing of the past can be carried out any more. Belongs to the controller's first loop.
 */
final class FenceWatch {
  private static final long POLL_NS = 100_000_000;

  private final Loop loop;
  private final HostOptions options;
  private final HostQueues queues;
  private final Fence fence = new Fence();
  private final Timer timer;
  private @Nullable Association live;
  private boolean gated;
  private boolean asking;

  FenceWatch(Loop loop, HostOptions options, HostQueues queues) {
    this.loop = loop;
    this.options = options;
    this.queues = queues;
    this.timer = loop.timer(this::check);
  }

  /** Whether commands that change data wait: the caller was told that some failed which may still be carried out. */
  boolean gated() {
    return gated;
  }

  /** Lets them wait from now on. */
  void gate() {
    gated = true;
    queues.tell(HostQueue::gate);
  }

  /** {@code association} is connected: whoever had its identifier before is dead. */
  void joined(Association association) {
    fence.taken(association.cntlid());
  }

  /** Commands flow on {@code association}. */
  void start(Association association) {
    live = association;
    check();
  }

  /** There is no association any more. */
  void stop() {
    live = null;
    timer.cancel();
  }

  /** {@code old} is gone here; {@code stopped}: at the other end too, for certain. */
  void lost(Association old, boolean stopped) {
    if (stopped) {
      fence.dead(old.number());
    } else {
      fence.add(old.number(), old.cntlid(), loop.clock().nanoTime() + lifetimeNs(old.info()));
    }
  }

  /** How long a controller that hears nothing from us may go on. */
  private long lifetimeNs(ControllerInfo known) {
    long keepAliveNs = options.times().keepAliveNs();
    if (keepAliveNs == 0) {
      // Without keep-alive nothing bounds it; a controller that lists no controllers is trusted after the default.
      keepAliveNs = HostOptions.Times.defaults().keepAliveNs();
    }
    return keepAliveNs * (known.keepAliveByTraffic() ? 3 : 2) + known.quiesceMs() * 1_000_000L;
  }

  private void check() {
    Association current = live;
    if (current == null) {
      return;
    }
    if (options.resend() == HostOptions.Resend.AT_ONCE || fence.open(loop.clock().nanoTime())) {
      gated = false;
      int number = fence.last();
      queues.tell(queue -> queue.openFence(number));
      return;
    }
    timer.arm(POLL_NS);
    if (!asking) {
      asking = true;
      FenceQuestion.ask(current, fence).whenComplete((answered, e) -> {
        asking = false;
        if (e == null && answered && live == current) {
          check();
        }
      });
    }
  }
}
