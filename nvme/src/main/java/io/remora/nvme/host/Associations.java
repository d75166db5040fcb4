package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The associations of a host with one controller, one after another: each is brought up, joined by the I/O queues, live, and lost; the next one is tried until there is one, or the controller is
 * closed or given up. Belongs to the controller's first loop, unless a method says otherwise.
 *
 * <p>Invariants: there is one association at most; commands flow only on one that is live; what an association that is gone reports changes nothing.
 */
final class Associations implements QueueOwner, HostEvents.Handler {
  private final HostTransport transport;
  private final Loop loop;
  private final HostOptions options;
  private final HostIdentity identity;
  private final HostReport report;
  private final Inventory inventory;
  private final HostQueues queues;
  private final FenceWatch fence;
  private final SlowCommands slow;
  private final HostEvents events;
  private final Outage outage;
  private final CompletableFuture<Void> connected = new CompletableFuture<>();

  private @Nullable Association association;
  private @Nullable CompletableFuture<Void> retired;
  private int associations;
  /** Commands have flowed on the association, or will at once. */
  private boolean live;
  private CompletableFuture<Void> refusals = CompletableFuture.completedFuture(null);

  /** None yet: {@link #attempt} begins the first. */
  Associations(HostTransport transport, List<Loop> loops, HostOptions options, HostReport report,
      Inventory inventory) {
    this.transport = transport;
    this.loop = loops.getFirst();
    this.options = options;
    this.identity = HostIdentity.of(options, loop);
    this.report = report;
    this.inventory = inventory;
    this.queues = new HostQueues(transport, List.copyOf(loops), options, this);
    this.fence = new FenceWatch(loop, options, queues);
    this.outage = new Outage(loop, options, this::attempt, () -> refuse(Status.DISCONNECTED), this::giveUp);
    this.slow = new SlowCommands(queues, report::count);
    this.events = new HostEvents(loop, options.times(), this);
  }

  /** Done when the first association is live; fails with {@link RemoraException} when it came to nothing. */
  CompletableFuture<Void> connected() {
    return connected;
  }

  /** The association on which commands flow; null when there is none. */
  @Nullable
  Association live() {
    return live ? association : null;
  }

  /** The I/O queues that join each of them. */
  HostQueues queues() {
    return queues;
  }

  /** What past ones may still do. */
  FenceWatch fence() {
    return fence;
  }

  /** How many attempts to reconnect were asked for, as {@link Outage#attempts}. */
  int attempts() {
    return outage.attempts();
  }

  /** How many Abort commands were sent. */
  long aborts() {
    return slow.sent();
  }

  // Connecting.

  /** Begins the next one. */
  void attempt() {
    associations++;
    int number = associations;
    Association next = new Association(number, loop, options, identity,
        (reason, text) -> onAdminFailed(number, reason, text));
    association = next;
    next.bringUp(transport).thenCompose(v -> joinQueues(next)).thenCompose(v -> inventory.read(next))
        .whenComplete((v, e) -> {
          if (e == null) {
            onLive(next);
          } else {
            onAttemptFailed(next, Failure.of(e));
          }
        });
  }

  private CompletableFuture<Void> joinQueues(Association next) {
    if (next.info().discovery()) {
      throw new RemoraException(Status.INVALID,
          options.subsystemNqn() + " is a discovery subsystem: it has no I/O queues");
    }
    return queues.join(next);
  }

  private void onLive(Association next) {
    if (association != next || report.ended() || retired != null) {
      return;
    }
    outage.end();
    fence.joined(next);
    // Whether anything uncertain was failed decides whether commands that change data may flow.
    refusals.thenRun(() -> release(next));
  }

  private void release(Association next) {
    if (association != next) {
      return;
    }
    boolean gate = fence.gated();
    live = true;
    outage.worksAgain();
    events.start(next);
    inventory.start(next);
    slow.start(next);
    queues.each(queue -> queue.release(next.number(), gate)).thenRun(() -> {
      if (association == next && live) {
        report.state(HostState.LIVE, Status.OK, "");
        fence.start(next);
        connected.complete(null);
      }
    });
  }

  private void onAttemptFailed(Association failed, Failure failure) {
    if (association != failed || report.ended()) {
      return;
    }
    association = null;
    failed.admin().close();
    queues.each(HostQueue::disconnect).thenRun(() -> {
      if (connected.isDone()) {
        if (report.state() == HostState.RECONNECTING) {
          report.state(HostState.RECONNECTING, failure.status(), failure.text());
          outage.tryAgain();
        }
        return;
      }
      report.state(HostState.FAILED, failure.status(), failure.text());
      finishQueues(failure.status()).thenRun(() -> connected.completeExceptionally(new RemoraException(failure.status(),
          "cannot connect to " + options.subsystemNqn() + " at " + options.address() + ": " + failure.text(),
          failure.cause())));
    });
  }

  // Losing the connection.

  @Override
  public void onQueueFailed(int number, Status reason, String text) {
    loop.execute(() -> {
      Association current = association;
      if (current != null && current.number() == number) {
        lose(reason, text);
      }
    });
  }

  private void onAdminFailed(int number, Status reason, String text) {
    Association current = association;
    if (current != null && current.number() == number) {
      lose(reason, "admin queue: " + text);
    }
  }

  /** Resets the controller. */
  void reset(String why) {
    lose(Status.ABORTED, why);
  }

  /** Leaves a live association: takes down what is left of it, and reconnects. */
  private void lose(Status reason, String text) {
    Association old = association;
    if (old == null) {
      return;
    }
    if (!live) {
      // Still coming up: its own chain of futures ends with this.
      old.admin().close(reason, text);
      return;
    }
    live = false;
    outage.begin();
    report.lost(reason != Status.DISCONNECTED);
    events.stop();
    inventory.stop();
    fence.stop();
    slow.stop();
    report.state(HostState.RESETTING, reason, text);
    queues.each(HostQueue::disconnect).thenCompose(v -> old.stop()).thenAccept(stopped -> {
      old.admin().close();
      if (report.state() != HostState.RESETTING) {
        return;
      }
      association = null;
      fence.lost(old, stopped);
      if (retired != null) {
        leave(retired);
        return;
      }
      report.state(HostState.RECONNECTING, reason, text);
      outage.tryAgain();
    });
  }

  /** Stops; {@code done} when nothing that was sent can be carried out any more and everything is closed. */
  void retire(CompletableFuture<Void> done) {
    CompletableFuture<Void> before = retired;
    if (before != null) {
      before.thenRun(() -> done.complete(null));
      return;
    }
    if (report.ended()) {
      close(done);
      return;
    }
    retired = done;
    if (live) {
      lose(Status.ABORTED, "taken out of use");
    } else if (report.state() != HostState.RESETTING) {
      leave(done);
    }
  }

  /** Closes when nothing that was sent can be carried out any more. */
  private void leave(CompletableFuture<Void> done) {
    outage.stopTrying();
    Association coming = association;
    association = null;
    if (coming != null) {
      coming.admin().close();
    }
    queues.each(HostQueue::disconnect).thenRun(() -> fence.whenOpen(() -> close(done)));
  }

  private void refuse(Status reason) {
    refusals = queues.each(queue -> queue.refuse(reason));
  }

  private void giveUp() {
    Association old = association;
    association = null;
    live = false;
    outage.stopTrying();
    fence.close();
    outage.end();
    if (old != null) {
      old.admin().close();
    }
    HostStatus last = report.status();
    report.state(HostState.FAILED, last.reason(), last.text());
    connected.completeExceptionally(new RemoraException(last.reason(), "lost at once: " + last.text()));
    finishQueues(Status.DISCONNECTED).thenRun(() -> inventory.clear(Status.DISCONNECTED));
  }

  /** Shuts the controller down in order; {@code done} when everything is closed. */
  void close(CompletableFuture<Void> done) {
    Association old = association;
    boolean wasLive = live;
    CompletableFuture<Void> waiting = retired;
    if (waiting != null && waiting != done) {
      done.thenRun(() -> waiting.complete(null));
    }
    if (report.state() == HostState.CLOSED) {
      done.complete(null);
      return;
    }
    association = null;
    live = false;
    outage.stopTrying();
    outage.end();
    fence.close();
    events.stop();
    inventory.stop();
    slow.stop();
    report.state(HostState.CLOSED, Status.OK, "");
    connected.completeExceptionally(new RemoraException(Status.ABORTED, "closed"));
    finishQueues(Status.ABORTED)
        .thenCompose(v -> old != null && wasLive ? old.shutDown() : CompletableFuture.completedFuture(null))
        .thenRun(() -> {
          if (old != null) {
            old.admin().close();
          }
          inventory.clear(Status.ABORTED);
          done.complete(null);
        });
  }

  private CompletableFuture<Void> finishQueues(Status reason) {
    return queues.each(queue -> queue.finish(reason));
  }

  // What queues and events tell.

  @Override
  public void onUncertainFailed() {
    loop.execute(fence::gate);
  }

  @Override
  public void onPathError(int number) {
    loop.execute(() -> {
      if (live && association != null && association.number() == number) {
        inventory.readAccess();
      }
    });
  }

  @Override
  public void onSlowCommand(int number, int queueId, int cid) {
    loop.execute(() -> slow.abort(number, queueId, cid));
  }

  @Override
  public void onKeepAliveMissed(Association of, String text) {
    if (association == of) {
      lose(Status.TIMED_OUT, text);
    }
  }

  @Override
  public void onNamespaces(Association of) {
    inventory.readNamespaces(of);
  }

  @Override
  public void onAna(Association of) {
    inventory.readAccess();
  }
}
