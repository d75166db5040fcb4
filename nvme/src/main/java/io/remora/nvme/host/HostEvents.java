package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What goes on in the background of a live association: keep-alives, and asynchronous events. Belongs to the controller's
 * first loop.
 */
final class HostEvents {
  /** Deals with what has happened on an association. */
  interface Handler {
    /** The controller does not answer keep-alives. */
    void onKeepAliveMissed(Association of, String text);

    /** Namespaces have come, gone or changed: scan them anew. */
    default void onNamespaces(Association of) {}

    /** The ANA log has changed: read it, which allows the next event of this kind. */
    default void onAna(Association of) {}

    /** The discovery log has changed: read it, which allows the next event of this kind. */
    default void onDiscovery(Association of) {}
  }

  private static final int WANTED = ControllerInfo.EVENT_NAMESPACE | ControllerInfo.EVENT_ANA
      | ControllerInfo.EVENT_DISCOVERY;
  private static final int TYPE_NOTICE = 2;
  private static final int NOTICE_NAMESPACE = 0;
  private static final int NOTICE_ANA = 3;
  private static final int NOTICE_DISCOVERY = 0xF0;
  private static final int CHANGED_LIST_BYTES = 4096;

  private final HostOptions.Times times;
  private final Handler handler;
  private final Timer timer;
  private @Nullable Association association;
  private int unanswered;

  /** Events of no association yet. */
  HostEvents(Loop loop, HostOptions.Times times, Handler handler) {
    this.times = times;
    this.handler = handler;
    this.timer = loop.timer(this::onTimer);
  }

  void start(Association live) {
    association = live;
    unanswered = 0;
    if (times.keepAliveNs() > 0) {
      timer.arm(times.keepAliveNs() / 2);
    }
    int wanted = live.info().events() & WANTED;
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
      handler.onKeepAliveMissed(live, "no answer to keep-alive for " + times.keepAliveNs() / 1_000_000 + " ms");
      return;
    }
    unanswered++;
    live.admin().submit(AdminCommand.keepAlive()).thenRun(() -> unanswered = 0);
    timer.arm(times.keepAliveNs() / 2);
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
    if (type != TYPE_NOTICE) {
      return;
    }
    switch (information) {
      case NOTICE_NAMESPACE -> {
        MemorySegment list = live.allocate(CHANGED_LIST_BYTES);
        // Reading the list allows the next event of this kind; what is in it, the scan finds out anyway.
        live.admin().submit(AdminCommand.log(page, 0, list)).whenComplete((v, e) -> handler.onNamespaces(live));
      }
      case NOTICE_ANA -> handler.onAna(live);
      case NOTICE_DISCOVERY -> handler.onDiscovery(live);
      default -> {
        // Whatever else was not asked for.
      }
    }
  }
}
