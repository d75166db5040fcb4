package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
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
  private static final long DISABLE_NS = 3_000_000_000L;
  private static final long FENCE_POLL_NS = 100_000_000;

  private final HostTransport transport;
  private final List<Loop> loops;
  private final Loop loop;
  private final HostOptions options;
  private final List<HostListener> listeners = new CopyOnWriteArrayList<>();
  private final CompletableFuture<HostController> connected = new CompletableFuture<>();
  private final Fence fence = new Fence();
  private final HostEvents events;
  private final Timer reconnectTimer;
  private final Timer holdTimer;
  private final Timer lossTimer;
  private final Timer fenceTimer;

  private volatile List<HostQueue> queues = List.of();
  private volatile List<HostNamespace> namespaces = List.of();
  private volatile HostStatus status;
  private volatile @Nullable ControllerInfo info;

  private final AtomicInteger nextQueue = new AtomicInteger();
  private final UUID hostId;
  private final String hostNqn;
  private @Nullable Association association;
  private int associations;
  private int attempts;
  private long losses;
  private long resets;
  private long aborts;
  private int abortsInFlight;
  /** Commands have flowed on the association, or will at once. */
  private boolean live;
  private long liveSinceNs;
  private boolean gated;
  private CompletableFuture<Void> refusals = CompletableFuture.completedFuture(null);
  private boolean fenceAsking;

  private HostController(HostTransport transport, List<Loop> loops, HostOptions options) {
    this.transport = transport;
    this.loops = List.copyOf(loops);
    this.loop = this.loops.getFirst();
    this.options = options;
    this.hostId = options.hostId().orElseGet(() -> randomUuid(loop));
    this.hostNqn = options.hostNqn().orElse(nqnOf(hostId));
    this.events = new HostEvents(loop, options, this::onKeepAliveMissed, this::onNamespacesChanged);
    this.reconnectTimer = loop.timer(this::attempt);
    this.holdTimer = loop.timer(() -> refuse(Status.DISCONNECTED));
    this.lossTimer = loop.timer(this::giveUp);
    this.fenceTimer = loop.timer(this::checkFence);
    this.status = new HostStatus(HostState.CONNECTING, Status.OK, "", loop.clock().wallMillis(), 0, 0, 0, 0);
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

  /** What it last said of itself. */
  public ControllerInfo info() {
    ControllerInfo known = info;
    Check.that(known != null, "not connected yet");
    assert known != null;
    return known;
  }

  /** How it is doing. */
  public HostStatus status() {
    return status;
  }

  /** The namespaces that it has now, by identifier. */
  public List<HostNamespace> namespaces() {
    return namespaces;
  }

  /** The namespace {@code nsid}; empty when there is none. */
  public Optional<HostNamespace> namespace(int nsid) {
    return namespaces.stream().filter(namespace -> namespace.nsid() == nsid).findFirst();
  }

  /** The loops that have an I/O queue of their own: channels opened on these are the fast ones. */
  public List<Loop> channelLoops() {
    return queues.stream().map(HostQueue::loop).distinct().toList();
  }

  /** Adds a listener. */
  public void addListener(HostListener listener) {
    listeners.add(listener);
  }

  /** Removes a listener. */
  public void removeListener(HostListener listener) {
    listeners.remove(listener);
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

  /** The queue for a channel on {@code on}: one of that loop, if there is one. */
  HostQueue queue(Loop on) {
    int start = nextQueue.getAndIncrement();
    for (int i = 0; i < queues.size(); i++) {
      HostQueue queue = queues.get(Math.floorMod(start + i, queues.size()));
      if (queue.loop() == on) {
        return queue;
      }
    }
    Check.that(!queues.isEmpty(), "no I/O queues");
    return queues.get(Math.floorMod(start, queues.size()));
  }

  // Connecting.

  private void attempt() {
    associations++;
    int number = associations;
    Association next = new Association(number, loop, options, hostId, hostNqn,
        (reason, text) -> onAdminFailed(number, reason, text));
    association = next;
    next.bringUp(transport).thenCompose(v -> joinQueues(next)).thenCompose(v -> scan(next)).whenComplete((v, e) -> {
      if (e == null) {
        onLive(next);
      } else {
        onAttemptFailed(next, cause(e));
      }
    });
  }

  private CompletableFuture<Void> joinQueues(Association next) {
    ControllerInfo known = next.info();
    if (known.discovery()) {
      throw new RemoraException(Status.INVALID, subsystemNqn() + " is a discovery subsystem: it has no I/O queues");
    }
    List<HostQueue> existing = queues;
    int wanted = !existing.isEmpty() ? existing.size() : options.queues() > 0 ? options.queues() : loops.size();
    return next.queues(wanted).thenCompose(granted -> {
      if (existing.isEmpty()) {
        return makeQueues(granted);
      }
      if (granted < existing.size()) {
        throw new RemoraException(Status.NO_RESOURCES,
            "the controller grants " + granted + " I/O queues, fewer than the " + existing.size() + " before");
      }
      if (info != null && next.maxTransferBytes() < maxTransferBytes(info())) {
        throw new RemoraException(Status.NO_RESOURCES,
            "the controller takes less data per command than before: " + next.maxTransferBytes() + " bytes");
      }
      return CompletableFuture.completedFuture(null);
    }).thenCompose(v -> CompletableFuture
        .allOf(queues.stream().map(queue -> join(next, queue)).toArray(CompletableFuture[]::new)));
  }

  private CompletableFuture<Void> makeQueues(int count) {
    HostQueue[] made = new HostQueue[count];
    List<CompletableFuture<Void>> each = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int index = i;
      Loop on = loops.get(i % loops.size());
      each.add(on(on, () -> made[index] = new HostQueue(this, on, index + 1, options)));
    }
    return CompletableFuture.allOf(each.toArray(CompletableFuture[]::new)).thenRun(() -> queues = List.of(made));
  }

  /** Runs {@code action} on another loop; done on the first loop. */
  private CompletableFuture<Void> on(Loop other, Runnable action) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    other.execute(() -> {
      action.run();
      loop.execute(() -> done.complete(null));
    });
    return done;
  }

  private static long maxTransferBytes(ControllerInfo known) {
    return Math.min(known.maxTransferBytes(), 1 << 20);
  }

  private CompletableFuture<Void> join(Association next, HostQueue queue) {
    ControllerInfo known = next.info();
    // One entry more than commands in flight: a full queue cannot be told from an empty one.
    int most = known.maxCommands() > 0 ? Math.min(known.maxEntries() - 1, known.maxCommands()) : known.maxEntries() - 1;
    int limit = Math.min(options.depth(), most);
    HostTransport.Link link = new HostTransport.Link(options.address(), queue.queueId(), queue.slots(),
        known.inCapsuleBytes(), options.headerDigest(), options.dataDigest());
    QueueConnect parameters = new QueueConnect(next.number(), link, limit + 1, limit, next.maxTransferBytes(), known,
        next.connectData(next.cntlid()));
    CompletableFuture<Void> joined = new CompletableFuture<>();
    queue.loop().execute(() -> queue.join(transport, parameters).whenComplete((v, e) -> loop.execute(() -> {
      if (e == null) {
        joined.complete(null);
      } else {
        joined.completeExceptionally(e);
      }
    })));
    return joined;
  }

  private CompletableFuture<Void> scan(Association next) {
    return NamespaceScan.of(next).thenAccept(found -> {
      info = next.info();
      take(found);
    });
  }

  private void onLive(Association next) {
    if (association != next || status.state() == HostState.CLOSED || status.state() == HostState.FAILED) {
      return;
    }
    holdTimer.cancel();
    lossTimer.cancel();
    fence.taken(next.cntlid());
    // Whether anything uncertain was failed decides whether commands that change data may flow.
    refusals.thenRun(() -> release(next));
  }

  private void release(Association next) {
    if (association != next) {
      return;
    }
    boolean gate = gated;
    live = true;
    liveSinceNs = loop.clock().nanoTime();
    events.start(next);
    onQueues(queue -> queue.release(next.number(), gate)).thenRun(() -> {
      if (association == next && live) {
        state(HostState.LIVE, Status.OK, "");
        checkFence();
        connected.complete(this);
      }
    });
  }

  private void onAttemptFailed(Association failed, Throwable cause) {
    if (association != failed || status.state() == HostState.CLOSED || status.state() == HostState.FAILED) {
      return;
    }
    association = null;
    Status reason = cause instanceof RemoraException e ? e.status() : Status.INTERNAL;
    String text = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    failed.admin().close();
    takeQueuesDown().thenRun(() -> {
      if (connected.isDone()) {
        if (status.state() == HostState.RECONNECTING) {
          state(HostState.RECONNECTING, reason, text);
          scheduleReconnect();
        }
        return;
      }
      state(HostState.FAILED, reason, text);
      finishQueues(reason).thenRun(() -> connected.completeExceptionally(new RemoraException(reason,
          "cannot connect to " + subsystemNqn() + " at " + options.address() + ": " + text, cause)));
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

  private void onKeepAliveMissed(Association of, String text) {
    if (association == of) {
      lose(Status.TIMED_OUT, text);
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
      old.admin().close();
      return;
    }
    live = false;
    if (loop.clock().nanoTime() - liveSinceNs > options.times().reconnectMaxNs()) {
      // It worked for a while: begin with short delays again. One that breaks at once is not to be tried in a loop.
      attempts = 0;
    }
    losses++;
    if (reason != Status.DISCONNECTED) {
      resets++;
    }
    events.stop();
    fenceTimer.cancel();
    state(HostState.RESETTING, reason, text);
    HostOptions.Times times = options.times();
    holdTimer.arm(times.holdNs());
    lossTimer.arm(times.lossNs());
    takeQueuesDown().thenCompose(v -> stop(old)).thenAccept(stopped -> {
      old.admin().close();
      if (status.state() != HostState.RESETTING) {
        return;
      }
      association = null;
      if (stopped) {
        fence.dead(old.number());
      } else {
        fence.add(old.number(), old.cntlid(), loop.clock().nanoTime() + fenceNs(old.info()));
      }
      state(HostState.RECONNECTING, reason, text);
      scheduleReconnect();
    });
  }

  /** Whether the controller has confirmed that it stopped. */
  private CompletableFuture<Boolean> stop(Association old) {
    if (!old.admin().alive()) {
      return CompletableFuture.completedFuture(false);
    }
    CompletableFuture<Boolean> answer = old.disable(DISABLE_NS).handle((v, e) -> e == null);
    CompletableFuture<Boolean> tooLong = Association.delay(loop, DISABLE_NS).thenApply(v -> false);
    return answer.applyToEither(tooLong, stopped -> stopped);
  }

  /** How long a controller that hears nothing from us may go on. */
  private long fenceNs(ControllerInfo known) {
    long keepAliveNs = options.times().keepAliveNs();
    if (keepAliveNs == 0) {
      // Without keep-alive nothing bounds it; a controller that lists no controllers is trusted after the default.
      keepAliveNs = HostOptions.Times.defaults().keepAliveNs();
    }
    return keepAliveNs * (known.keepAliveByTraffic() ? 3 : 2) + known.quiesceMs() * 1_000_000L;
  }

  private void scheduleReconnect() {
    HostOptions.Times times = options.times();
    long delay = times.reconnectNs() << Math.min(attempts, 20);
    delay = delay <= 0 ? times.reconnectMaxNs() : Math.min(delay, times.reconnectMaxNs());
    attempts++;
    reconnectTimer.arm(delay / 2 + loop.random().nextLong(delay / 2 + 1));
  }

  private void refuse(Status reason) {
    refusals = onQueues(queue -> queue.refuse(reason));
  }

  private void giveUp() {
    Association old = association;
    association = null;
    live = false;
    reconnectTimer.cancel();
    holdTimer.cancel();
    if (old != null) {
      old.admin().close();
    }
    state(HostState.FAILED, status.reason(), status.text());
    connected.completeExceptionally(new RemoraException(status.reason(), "lost at once: " + status.text()));
    finishQueues(Status.DISCONNECTED).thenRun(() -> removeNamespaces(Status.DISCONNECTED));
  }

  private void closeNow(CompletableFuture<Void> done) {
    Association old = association;
    boolean wasLive = live;
    if (status.state() == HostState.CLOSED) {
      done.complete(null);
      return;
    }
    association = null;
    live = false;
    for (Timer timer : List.of(reconnectTimer, holdTimer, lossTimer, fenceTimer)) {
      timer.cancel();
    }
    events.stop();
    state(HostState.CLOSED, Status.OK, "");
    connected.completeExceptionally(new RemoraException(Status.ABORTED, "closed"));
    finishQueues(Status.ABORTED).thenCompose(v -> {
      if (old == null || !wasLive || !old.admin().alive()) {
        return CompletableFuture.completedFuture(null);
      }
      return old.shutDown(DISABLE_NS).handle((w, e) -> null).applyToEither(Association.delay(loop, DISABLE_NS),
          w -> null);
    }).thenRun(() -> {
      if (old != null) {
        old.admin().close();
      }
      removeNamespaces(Status.ABORTED);
      done.complete(null);
    });
  }

  private CompletableFuture<Void> takeQueuesDown() {
    return onQueues(HostQueue::disconnect);
  }

  private CompletableFuture<Void> finishQueues(Status reason) {
    return onQueues(queue -> queue.finish(reason));
  }

  /** Runs {@code action} for every queue on its loop; done on the first loop. */
  private CompletableFuture<Void> onQueues(Consumer<HostQueue> action) {
    return CompletableFuture.allOf(queues.stream().map(queue -> on(queue.loop(), () -> action.accept(queue)))
        .toArray(CompletableFuture[]::new));
  }

  // The fence.

  @Override
  public void onUncertainFailed() {
    loop.execute(() -> {
      gated = true;
      for (HostQueue queue : queues) {
        queue.loop().execute(queue::gate);
      }
    });
  }

  private void checkFence() {
    Association current = association;
    if (current == null || !live) {
      return;
    }
    if (options.resend() == HostOptions.Resend.AT_ONCE || fence.open(loop.clock().nanoTime())) {
      gated = false;
      int number = fence.last();
      for (HostQueue queue : queues) {
        queue.loop().execute(() -> queue.openFence(number));
      }
      return;
    }
    fenceTimer.arm(FENCE_POLL_NS);
    if (!fenceAsking) {
      fenceAsking = true;
      FenceQuestion.ask(current, fence).whenComplete((answered, e) -> {
        fenceAsking = false;
        if (e == null && answered && association == current) {
          checkFence();
        }
      });
    }
  }

  // Aborts.

  @Override
  public void onSlowCommand(int number, int queueId, int cid) {
    loop.execute(() -> {
      Association current = association;
      if (current == null || current.number() != number || abortsInFlight >= current.info().aborts()) {
        return;
      }
      abortsInFlight++;
      aborts++;
      status = snapshot(status.state(), status.reason(), status.text(), status.sinceMillis());
      current.admin().submit(AdminCommand.abort(queueId, cid)).whenComplete((done, e) -> abortsInFlight--);
    });
  }

  // Namespaces.

  private void onNamespacesChanged(Association of) {
    NamespaceScan.of(of).whenComplete((found, e) -> {
      if (e == null && association == of && live) {
        take(found);
      }
    });
  }

  private void take(List<NamespaceInfo> found) {
    List<HostNamespace> next = new ArrayList<>();
    List<HostNamespace> before = new ArrayList<>(namespaces);
    for (NamespaceInfo each : found) {
      HostNamespace known = before.stream().filter(namespace -> namespace.sameAs(each)).findFirst().orElse(null);
      if (known != null) {
        before.remove(known);
        known.update(each);
        next.add(known);
      } else {
        next.add(new HostNamespace(this, each));
      }
    }
    boolean changed = !next.equals(namespaces);
    namespaces = List.copyOf(next);
    for (HostNamespace gone : before) {
      gone.remove(Status.NOT_FOUND);
    }
    if (changed) {
      listeners.forEach(listener -> listener.onNamespaces(this, namespaces));
    }
  }

  private void removeNamespaces(Status reason) {
    List<HostNamespace> before = namespaces;
    namespaces = List.of();
    before.forEach(namespace -> namespace.remove(reason));
  }

  private void state(HostState next, Status reason, String text) {
    long since = next == status.state() ? status.sinceMillis() : loop.clock().wallMillis();
    status = snapshot(next, reason, text, since);
    listeners.forEach(listener -> listener.onState(this, status));
  }

  static String nqnOf(UUID hostId) {
    return "nqn.2014-08.org.nvmexpress:uuid:" + hostId;
  }

  static UUID randomUuid(Loop loop) {
    // Version 4, variant 2.
    return new UUID((loop.random().nextLong() & ~0xf000L) | 0x4000, (loop.random().nextLong() >>> 2) | Long.MIN_VALUE);
  }

  private HostStatus snapshot(HostState state, Status reason, String text, long since) {
    return new HostStatus(state, reason, text, since, attempts, losses, resets, aborts);
  }

  static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
