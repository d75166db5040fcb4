package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.AnaState;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A controller of a subsystem somewhere, kept connected: bring-up, I/O queues, namespaces, keep-alive, and after a failure reset and
 * reconnection. Its state belongs to the first of its loops; public methods may be called from any thread.
 *
 * <p>What happens to I/O when the connection is lost: requests are held, and sent again on the next association; the caller only
 * sees that it takes longer. Commands that change data are sent again when {@link HostOptions.Resend} allows it. After {@link
 * HostOptions.Times#holdNs} they complete with DISCONNECTED instead; whether they took place is unknown then, and they may
 * still take place for as long as the old association lives. Until that is over this controller sends nothing that changes data, so that what
 * the caller writes afterwards stays.
 *
 * <p>Not covered: a target that loses power between a completed write and the flush after it, and comes back before the host
 * gives up. It loses the write, as every volatile cache may, and the flush, sent to the new association, cannot know.
 */
public final class HostController implements QueueOwner {
  private final HostTransport transport;
  private final Loop loop;
  private final HostOptions options;
  private final HostIdentity identity;
  private final HostReport report;
  private final CompletableFuture<HostController> connected = new CompletableFuture<>();
  private final HostQueues queues;
  private final FenceWatch fence;
  private final SlowCommands slow;
  private final NamespaceList namespaces = new NamespaceList(this);
  private final AnaWatch ana;
  private final HostEvents events;
  private final Outage outage;

  private volatile @Nullable ControllerInfo info;

  private @Nullable Association association;
  private @Nullable CompletableFuture<Void> retired;
  private int associations;
  /** Commands have flowed on the association, or will at once. */
  private boolean live;
  private CompletableFuture<Void> refusals = CompletableFuture.completedFuture(null);

  private HostController(HostTransport transport, List<Loop> loops, HostOptions options) {
    this.transport = transport;
    this.loop = loops.getFirst();
    this.options = options;
    this.identity = HostIdentity.of(options, loop);
    this.queues = new HostQueues(transport, List.copyOf(loops), options, this);
    this.fence = new FenceWatch(loop, options, queues);
    this.outage = new Outage(loop, options, this::attempt, () -> refuse(Status.DISCONNECTED), this::giveUp);
    this.slow = new SlowCommands(queues, this::count);
    this.report = new HostReport(this, loop.clock(), outage::attempts, slow::sent);
    this.ana = new AnaWatch(loop, () -> report.tell(listener -> listener.onAccess(this)));
    this.events = new HostEvents(loop, options.times(), new Background());
  }

  /**
   * Connects. The admin queue lives on the first loop, the I/O queues on all of them in turn. The future is done on the first
   * loop; when the first attempt fails it fails with {@link RemoraException}, and there is nothing to close.
   */
  public static CompletableFuture<HostController> connect(HostTransport transport, List<Loop> loops,
      HostOptions options) {
    Check.argument(!loops.isEmpty(), "no loops to connect on");
    CompletableFuture<HostController> result = new CompletableFuture<>();
    loops.getFirst().execute(() -> {
      HostController controller = new HostController(transport, loops, options);
      controller.connected.whenComplete((done, failure) -> {
        if (failure == null) {
          result.complete(done);
        } else {
          result.completeExceptionally(failure);
        }
      });
      controller.attempt();
    });
    return result;
  }

  /** The subsystem it belongs to. */
  public String subsystemNqn() {
    return options.subsystemNqn();
  }

  /** How it was connected. */
  public HostOptions options() {
    return options;
  }

  /** What carries its queues. */
  HostTransport transport() {
    return transport;
  }

  /** What it last said of itself. */
  public ControllerInfo info() {
    ControllerInfo known = info;
    Check.that(known != null, "not connected yet");
    assert known != null;
    return known;
  }

  /** How it is doing. */
  public HostStatus status() {
    return report.status();
  }

  /** The namespaces that it has now, by identifier. */
  public List<HostNamespace> namespaces() {
    return namespaces.all();
  }

  /** The namespace {@code nsid}; empty when there is none. */
  public Optional<HostNamespace> namespace(int nsid) {
    return namespaces.all().stream().filter(namespace -> namespace.nsid() == nsid).findFirst();
  }

  /** The loops that have an I/O queue of their own: channels opened on these are the fast ones. */
  public List<Loop> channelLoops() {
    return queues.loops();
  }

  /** Sends a command to the controller, once, and only while it is connected. */
  CompletableFuture<Void> submit(AdminCommand command) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      Association current = association;
      if (current == null || !live) {
        done.completeExceptionally(
            new RemoraException(Status.DISCONNECTED, command.what() + ": not connected to " + subsystemNqn()));
        return;
      }
      current.admin().submit(command).whenComplete((answer, failure) -> {
        if (failure == null) {
          done.complete(null);
        } else {
          done.completeExceptionally(Failure.of(failure).cause());
        }
      });
    });
    return done;
  }

  /** Adds a listener. */
  public void addListener(HostListener listener) {
    report.add(listener);
  }

  /** Removes a listener. */
  public void removeListener(HostListener listener) {
    report.remove(listener);
  }

  /** Resets the controller, as after a time-out: what is in flight is held and sent again. */
  public void reset(String why) {
    loop.execute(() -> lose(Status.ABORTED, why));
  }

  /**
   * Shuts the controller down in order and closes everything; I/O that is still in flight completes with ABORTED. The future is
   * done when no memory of a request is in use and all connections are closed.
   */
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> closeNow(done));
    return done;
  }

  /**
   * Stops the controller, and closes everything when nothing of what was sent can be carried out any more; until then requests that
   * change data may be in flight. With {@link HostOptions.OnLoss#RETURN} all requests come back with DISCONNECTED; else those
   * that are left complete with ABORTED.
   */
  public CompletableFuture<Void> retire() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> retireNow(done));
    return done;
  }

  /**
   * The controllers of its past associations that may still carry out what was sent to them, by identifier. On the first loop.
   */
  public List<Integer> suspects() {
    return fence.suspects();
  }

  /**
   * Somebody who knows says that the controller {@code cntlid} of a past association is dead: what it still had is not carried
   * out any more. On the first loop.
   */
  public void declareDead(int cntlid) {
    fence.dead(cntlid);
  }

  /**
   * Asks which controllers the subsystem has, by identifier (Identify CNS 13h). Empty when it does not say, or too many to say.
   * On the first loop.
   */
  public CompletableFuture<Set<Integer>> siblings() {
    Association current = association;
    if (current == null || !live) {
      return CompletableFuture.completedFuture(Set.of());
    }
    return FenceQuestion.controllers(current, 0).exceptionally(e -> Set.of());
  }

  /** The queue for a channel on {@code on}: one of that loop, if there is one. */
  HostQueue queue(Loop on) {
    return queues.choose(on);
  }

  /** How well namespaces of an ANA group are reached. From any thread. */
  AnaState access(int group) {
    return ana.of(group);
  }

  // Connecting.

  private void attempt() {
    associations++;
    int number = associations;
    Association next = new Association(number, loop, options, identity,
        (reason, text) -> onAdminFailed(number, reason, text));
    association = next;
    next.bringUp(transport).thenCompose(v -> joinQueues(next)).thenCompose(v -> scan(next)).whenComplete((v, e) -> {
      if (e == null) {
        onLive(next);
      } else {
        onAttemptFailed(next, Failure.of(e));
      }
    });
  }

  private CompletableFuture<Void> joinQueues(Association next) {
    if (next.info().discovery()) {
      throw new RemoraException(Status.INVALID, subsystemNqn() + " is a discovery subsystem: it has no I/O queues");
    }
    return queues.join(next);
  }

  private CompletableFuture<Void> scan(Association next) {
    return NamespaceScan.of(next).thenCompose(found -> ana.read(next).thenAccept(v -> {
      info = next.info();
      take(found);
    }));
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
    ana.start(next);
    slow.start(next);
    queues.each(queue -> queue.release(next.number(), gate)).thenRun(() -> {
      if (association == next && live) {
        report.state(HostState.LIVE, Status.OK, "");
        fence.start(next);
        connected.complete(this);
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
          "cannot connect to " + subsystemNqn() + " at " + options.address() + ": " + failure.text(),
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
    ana.stop();
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

  private void retireNow(CompletableFuture<Void> done) {
    CompletableFuture<Void> before = retired;
    if (before != null) {
      before.thenRun(() -> done.complete(null));
      return;
    }
    if (report.ended()) {
      closeNow(done);
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
    queues.each(HostQueue::disconnect).thenRun(() -> fence.whenOpen(() -> closeNow(done)));
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
    finishQueues(Status.DISCONNECTED).thenRun(() -> namespaces.removeAll(Status.DISCONNECTED));
  }

  private void closeNow(CompletableFuture<Void> done) {
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
    ana.stop();
    slow.stop();
    report.state(HostState.CLOSED, Status.OK, "");
    connected.completeExceptionally(new RemoraException(Status.ABORTED, "closed"));
    finishQueues(Status.ABORTED)
        .thenCompose(v -> old != null && wasLive ? old.shutDown() : CompletableFuture.completedFuture(null))
        .thenRun(() -> {
          if (old != null) {
            old.admin().close();
          }
          namespaces.removeAll(Status.ABORTED);
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
        ana.refresh();
      }
    });
  }

  @Override
  public void onSlowCommand(int number, int queueId, int cid) {
    loop.execute(() -> slow.abort(number, queueId, cid));
  }

  /** What happens on a live association beside I/O. */
  private final class Background implements HostEvents.Handler {
    @Override
    public void onKeepAliveMissed(Association of, String text) {
      if (association == of) {
        lose(Status.TIMED_OUT, text);
      }
    }

    @Override
    public void onNamespaces(Association of) {
      NamespaceScan.of(of).whenComplete((found, e) -> {
        if (e == null && association == of && live) {
          take(found);
          ana.refresh();
        }
      });
    }

    @Override
    public void onAna(Association of) {
      ana.refresh();
    }
  }

  private void take(List<NamespaceInfo> found) {
    if (namespaces.take(found)) {
      report.tell(listener -> listener.onNamespaces(this, namespaces.all()));
    }
  }

  private void count() {
    report.count();
  }
}
