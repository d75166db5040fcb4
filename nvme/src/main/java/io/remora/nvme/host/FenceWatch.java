package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Watches the {@link Fence} of one controller, and lets the queues go on with what it holds back as soon as nothing of the past can
 * be carried out any more. Belongs to the controller's first loop.
 */
final class FenceWatch {
  private static final long POLL_NS = 100_000_000;

  private final Loop loop;
  private final HostOptions options;
  private final HostQueues queues;
  private final Fence fence = new Fence();
  private final Timer timer;
  private @Nullable Association live;
  private @Nullable Runnable onOpen;
  private boolean gated;
  private boolean asking;
  /** An association is being left: what becomes of it is not known yet. */
  private boolean leaving;

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

  /** The association is being left; {@link #lost} follows. */
  void stop() {
    live = null;
    leaving = true;
    timer.cancel();
  }

  /** {@code old} is gone here; {@code stopped}: at the other end too, for certain. */
  void lost(Association old, boolean stopped) {
    leaving = false;
    if (stopped) {
      fence.dead(old.number());
    } else {
      fence.add(old.number(), old.cntlid(), loop.clock().nanoTime() + lifetimeNs(old.info()));
    }
    check();
  }

  /** Somebody knows that the controller {@code cntlid}, of an association of the past, is dead. */
  void dead(int cntlid) {
    fence.taken(cntlid);
    check();
  }

  /** The controllers of the past that may be alive. */
  List<Integer> suspects() {
    return fence.suspects();
  }

  /** Runs {@code action} once, when nothing of the past can be carried out any more and the queues know. */
  void whenOpen(Runnable action) {
    onOpen = action;
    check();
  }

  /** Watches no more. */
  void close() {
    live = null;
    onOpen = null;
    leaving = true;
    timer.cancel();
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
    if (leaving) {
      return;
    }
    if (options.resend() == HostOptions.Resend.AT_ONCE || fence.open(loop.clock().nanoTime())) {
      open();
      return;
    }
    timer.arm(POLL_NS);
    Association current = live;
    if (current != null && !asking) {
      asking = true;
      FenceQuestion.ask(current, fence).whenComplete((answered, e) -> {
        asking = false;
        if (e == null && answered && live == current) {
          check();
        }
      });
    }
  }

  private void open() {
    gated = false;
    int number = fence.last();
    Runnable action = onOpen;
    onOpen = null;
    queues.each(queue -> queue.openFence(number)).thenRun(() -> {
      if (action != null) {
        action.run();
      }
    });
  }
}
