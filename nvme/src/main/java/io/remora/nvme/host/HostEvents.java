package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What goes on in the background of a live association: keep-alives, and asynchronous events. Belongs to the controller's
 * first loop.
 */
final class HostEvents {
  private static final int TYPE_NOTICE = 2;
  private static final int NOTICE_NAMESPACE = 0;
  private static final int CHANGED_LIST_BYTES = 4096;

  private final HostOptions options;
  private final BiConsumer<Association, String> missed;
  private final Consumer<Association> namespacesChanged;
  private final Timer timer;
  private @Nullable Association association;
  private int unanswered;

  /**
   * Events of no association yet.
   *
   * @param missed the controller does not answer keep-alives
   * @param namespacesChanged scan them anew
   */
  HostEvents(Loop loop, HostOptions options, BiConsumer<Association, String> missed,
      Consumer<Association> namespacesChanged) {
    this.options = options;
    this.missed = missed;
    this.namespacesChanged = namespacesChanged;
    this.timer = loop.timer(this::onTimer);
  }

  void start(Association live) {
    association = live;
    unanswered = 0;
    if (options.times().keepAliveNs() > 0) {
      timer.arm(options.times().keepAliveNs() / 2);
    }
    int wanted = live.info().events() & ControllerInfo.EVENT_NAMESPACE;
    if (wanted != 0) {
      live.admin().submit(AdminCommand.setFeature(AdminCommand.FEATURE_EVENTS, wanted));
    }
    await(live);
  }

  void stop() {
    association = null;
    timer.cancel();
  }

  private void onTimer() {
    Association live = association;
    if (live == null) {
      return;
    }
    if (unanswered >= 2) {
      missed.accept(live,
          "no answer to keep-alive for " + options.times().keepAliveNs() / 1_000_000 + " ms");
      return;
    }
    unanswered++;
    live.admin().submit(AdminCommand.keepAlive()).thenRun(() -> unanswered = 0);
    timer.arm(options.times().keepAliveNs() / 2);
  }

  private void await(Association live) {
    live.admin().submit(AdminCommand.asyncEvent()).thenAccept(done -> {
      if (association == live) {
        onEvent(live, (int) done.result());
        await(live);
      }
    });
  }

  private void onEvent(Association live, int event) {
    int type = event & 7;
    int information = (event >>> 8) & 0xff;
    int page = (event >>> 16) & 0xff;
    if (type == TYPE_NOTICE && information == NOTICE_NAMESPACE) {
      MemorySegment list = live.allocate(CHANGED_LIST_BYTES);
      // Reading the list allows the next event of this kind; what is in it, the scan finds out anyway.
      live.admin().submit(AdminCommand.log(page, 0, list)).whenComplete((v, e) -> namespacesChanged.accept(live));
    }
  }

}
