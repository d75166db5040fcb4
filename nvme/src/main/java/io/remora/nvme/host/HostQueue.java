package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.nvme.NvmeStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One I/O queue, across all its connections: it turns requests into commands, keeps to the depth, and holds what was cut off
 * until it may be sent again. Lives on one loop.
 *
 * <p>A command is free, in flight, delayed (the controller asked to try again later), lost (its connection went away; to be sent
 * again), or held: lost too, but it changes data and the old association may still carry it out, see
 * {@link HostOptions.Resend}. Requests that do not fit into the depth wait in order; their number is bounded.
 *
 * <p>Invariant: a request completes once, when all commands made of it have ended and none is to be made any more.
 */
final class HostQueue implements HostLink.Events, InFlightCommands.Handler {
  private enum Phase {
    /** No connection. */
    DOWN,
    /** Connecting, or connected and not released yet. */
    JOINING,
    /** Commands may be sent. */
    LIVE
  }

  private static final int MAX_RETRIES = 5;
  /** So many associations may end under a command before it is given up. */
  private static final int MAX_LOSSES = 20;
  private static final long RETRY_NS = 100_000_000;

  private final QueueOwner owner;
  private final Loop loop;
  private final int queueId;
  private final HostOptions options;
  /** Requests come back while there is no connection: {@link HostOptions.OnLoss#RETURN}. */
  private final boolean returns;
  private final Arena memory = Arena.ofShared();
  private final HostCommand[] commands;
  private final HostCommand control;
  private final CommandBuilder builder;

  private final CommandList free = new CommandList();
  private final InFlightCommands inFlight;
  private final CommandList delayed = new CommandList();
  private final CommandList lost = new CommandList();
  private final CommandList held = new CommandList();

  private final RequestQueue requests;
  private final Timer retryTimer;
  private final Timer connectTimer;

  private Phase phase = Phase.DOWN;
  private @Nullable HostLink link;
  private @Nullable CompletableFuture<Void> joining;
  private @Nullable QueueConnect connect;
  private int association;
  /** The last association that left something to hold. */
  private int lastLost;
  private int limit;
  /** Commands that change data wait: see {@link QueueOwner#onUncertainFailed}. */
  private boolean gated;
  /** What requests complete with at once; null while they are taken. */
  private @Nullable Status refusal;
  private boolean finished;

  HostQueue(QueueOwner owner, Loop loop, int queueId, HostOptions options) {
    this.owner = owner;
    this.loop = loop;
    this.queueId = queueId;
    this.options = options;
    this.returns = options.onLoss() == HostOptions.OnLoss.RETURN;
    int slots = 2 * options.depth();
    this.commands = new HostCommand[slots];
    MemorySegment own = memory.allocate((slots + 1L) * CommandBuilder.OWN_BYTES, 8);
    for (int i = 0; i < slots; i++) {
      commands[i] = new HostCommand(i, own.asSlice(i * (long) CommandBuilder.OWN_BYTES, CommandBuilder.OWN_BYTES));
      free.add(commands[i]);
    }
    this.control = new HostCommand(slots, MemorySegment.NULL);
    this.builder = new CommandBuilder(memory);
    this.inFlight = new InFlightCommands(loop, options.times().ioNs(), this);
    this.requests = new RequestQueue(loop);
    this.retryTimer = loop.timer(this::onRetry);
    this.connectTimer = loop
        .timer(() -> onFailed(Status.TIMED_OUT, "did not connect in time"));
  }

  Loop loop() {
    return loop;
  }

  int queueId() {
    return queueId;
  }

  /** How many slots a link must know. */
  int slots() {
    return commands.length + 1;
  }

  // Requests.

  /** Takes a request that has begun and is valid. */
  void submit(IoRequest request, HostNamespace namespace) {
    Status refused = refusal;
    if (refused == null && requests.size() >= options.maxQueued()) {
      refused = Status.NO_RESOURCES;
    }
    if (refused != null) {
      reject(request, refused);
      return;
    }
    requests.add(request, namespace);
    pump();
  }

  /** Completes a request at the end of this turn. */
  void reject(IoRequest request, Status status) {
    requests.reject(request, status);
  }

  /** Makes and sends commands as long as there is something to send and room for it. */
  private void pump() {
    while (phase == Phase.LIVE && inFlight.size() < limit) {
      HostCommand again = lost.poll();
      if (again != null) {
        if (removed(again.io)) {
          end(again, Status.NOT_FOUND);
        } else if (gated && changes(again)) {
          held.add(again);
        } else {
          again.renew();
          send(again);
        }
        continue;
      }
      HostIo io = requests.first();
      HostCommand command = free.first();
      if (io == null || command == null) {
        return;
      }
      IoRequest request = io.request;
      HostNamespace namespace = io.namespace;
      assert request != null && namespace != null;
      if (namespace.removed()) {
        io.issued = true;
        requests.removeFirst();
        io.status = Status.NOT_FOUND;
        if (io.outstanding == 0) {
          requests.complete(io);
        }
        continue;
      }
      if (gated && HostIo.changes(request.op)) {
        return;
      }
      free.remove(command);
      command.begin(0, namespace.nsid());
      command.io = io;
      io.issuedBytes += builder.build(command, request, namespace.blockSize(), io.issuedBytes);
      io.outstanding++;
      if (io.issuedBytes == request.length || request.op == IoRequest.Op.FLUSH) {
        io.issued = true;
        requests.removeFirst();
      }
      send(command);
    }
  }

  private static boolean removed(@Nullable HostIo io) {
    return io != null && io.namespace != null && io.namespace.removed();
  }

  private static boolean changes(HostCommand command) {
    HostIo io = command.io;
    IoRequest request = io == null ? null : io.request;
    return request != null && HostIo.changes(request.op);
  }

  private void send(HostCommand command) {
    inFlight.add(command);
    HostLink to = link;
    assert to != null;
    to.send(command);
  }

  // Answers.

  @Override
  public @Nullable HostCommand command(int cid) {
    int slot = HostCommand.slotOf(cid);
    HostCommand command = slot < commands.length ? commands[slot] : slot == control.slot ? control : null;
    return command != null && command.inFlight && command.cid == cid ? command : null;
  }

  @Override
  public void onResponse(HostCommand command, long result, int sqhd, int status) {
    command.inFlight = false;
    if (command == control) {
      onConnected(status, result);
      return;
    }
    inFlight.remove(command);
    if (!NvmeStatus.isSuccess(status) && triesAgain(command, status)) {
      command.retries++;
      delayed.add(command);
      if (!retryTimer.armed()) {
        retryTimer.arm(RETRY_NS);
      }
      return;
    }
    Status outcome = NvmeStatus.toStatus(status);
    if (outcome == Status.ABORTED && command.abortSent) {
      outcome = Status.TIMED_OUT;
    }
    end(command, outcome);
    pump();
  }

  private boolean triesAgain(HostCommand command, int status) {
    if (NvmeStatus.isPathError(status)) {
      owner.onPathError(association);
      if (returns) {
        return false;
      }
    }
    return mayRetry(status) && command.retries < MAX_RETRIES;
  }

  private static boolean mayRetry(int status) {
    if ((status & NvmeStatus.DNR) != 0) {
      return false;
    }
    return switch (NvmeStatus.code(status)) {
      case NvmeStatus.NAMESPACE_NOT_READY, NvmeStatus.COMMAND_INTERRUPTED, NvmeStatus.TRANSIENT_TRANSPORT_ERROR,
          NvmeStatus.INTERNAL_PATH_ERROR, NvmeStatus.ANA_INACCESSIBLE, NvmeStatus.ANA_TRANSITION ->
        true;
      default -> false;
    };
  }

  /** A command has ended: so may have its request. */
  private void end(HostCommand command, Status outcome) {
    HostIo io = command.io;
    assert io != null;
    command.release();
    free.add(command);
    io.outstanding--;
    if (!outcome.isOk() && io.status.isOk() && !(outcome == Status.UNSUPPORTED && isAdvice(io))) {
      io.status = outcome;
    }
    if (!io.status.isOk() && !io.issued) {
      io.issued = true;
      Check.that(io == requests.first(), "only the first request may be half issued");
      requests.removeFirst();
    }
    if (io.issued && io.outstanding == 0) {
      requests.complete(io);
    }
  }

  /** Deallocate is advice: a controller has the command for all its namespaces, this one's device may know none of it. */
  private static boolean isAdvice(HostIo io) {
    IoRequest request = io.request;
    return request != null && request.op == IoRequest.Op.DEALLOCATE;
  }

  // Connections.

  /**
   * Joins an association; the future is done when the controller has answered Connect. Then {@link #release}. Fails with
   * NO_RESOURCES while a command that was cut off has more data than the controller takes now.
   */
  CompletableFuture<Void> join(HostTransport transport, QueueConnect parameters) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    if (finished) {
      future.completeExceptionally(new RemoraException(Status.ABORTED, "closed"));
      return future;
    }
    Check.that(phase == Phase.DOWN, "I/O queue %d joins while it is %s", queueId, phase);
    long longest = Math.max(lost.mostBytes(), held.mostBytes());
    if (longest > parameters.maxTransferBytes()) {
      // It is made for the old limit. It may wait for a controller that takes it, until I/O is not held any longer.
      future.completeExceptionally(new RemoraException(Status.NO_RESOURCES,
          "the controller takes " + parameters.maxTransferBytes() + " bytes per command, less than before, and one of "
              + longest + " is still to be sent again"));
      return future;
    }
    phase = Phase.JOINING;
    joining = future;
    connect = parameters;
    association = parameters.association();
    connectTimer.arm(options.times().connectNs());
    link = transport.connect(loop, parameters.link(), this);
    return future;
  }

  @Override
  public void onReady() {
    QueueConnect parameters = connect;
    HostLink to = link;
    assert parameters != null && to != null;
    AdminCommand.connect(queueId, parameters.entries(), 0, parameters.data()).fill(control);
    control.inFlight = true;
    to.send(control);
  }

  private void onConnected(int status, long result) {
    QueueConnect parameters = connect;
    CompletableFuture<Void> future = joining;
    assert parameters != null && future != null;
    control.release();
    connectTimer.cancel();
    joining = null;
    if (!NvmeStatus.isSuccess(status)) {
      RemoraException failure = AdminQueue
          .failure(AdminCommand.connect(queueId, parameters.entries(), 0, parameters.data()), status, result);
      future.completeExceptionally(
          new RemoraException(failure.status(), "I/O queue " + queueId + ": " + failure.getMessage(), failure));
      return;
    }
    limit = parameters.limit();
    builder.limits(parameters.info(), parameters.maxTransferBytes());
    future.complete(null);
  }

  /**
   * Lets commands flow on the association joined.
   *
   * @param gate whether commands that change data wait for {@link #openFence}
   */
  void release(int number, boolean gate) {
    if (phase == Phase.JOINING && number == association && joining == null && !finished) {
      phase = Phase.LIVE;
      gated = gate;
      refusal = null;
      pump();
    }
  }

  /** Whatever was lost by associations up to {@code number} cannot be carried out by them any more. */
  void openFence(int number) {
    if (number >= lastLost) {
      gated = false;
      for (HostCommand c = held.first(); c != null; c = c.next) {
        c.uncertain = false;
      }
      if (returns) {
        for (HostCommand c = held.poll(); c != null; c = held.poll()) {
          end(c, Status.DISCONNECTED);
        }
      }
      lost.addAll(held);
      pump();
    }
  }

  /** Commands that change data wait from now on for {@link #openFence}. */
  void gate() {
    gated = true;
  }

  @Override
  public void onFailed(Status reason, String text) {
    if (phase == Phase.DOWN) {
      return;
    }
    int number = association;
    CompletableFuture<Void> future = joining;
    // Who joins is to hear this reason, not that the connection was closed.
    joining = null;
    disconnect();
    if (future != null) {
      future.completeExceptionally(new RemoraException(reason, "I/O queue " + queueId + ": " + text));
    } else {
      owner.onQueueFailed(number, reason, "I/O queue " + queueId + ": " + text);
    }
  }

  /** Takes the connection down, if there is one; what was in flight is lost. */
  void disconnect() {
    if (phase == Phase.DOWN) {
      return;
    }
    phase = Phase.DOWN;
    connectTimer.cancel();
    retryTimer.cancel();
    inFlight.stop();
    HostLink old = link;
    link = null;
    if (old != null) {
      old.close(inFlight.size() > 0);
    }
    CompletableFuture<Void> future = joining;
    joining = null;
    control.inFlight = false;
    control.release();
    CommandList hopeless = new CommandList();
    for (HostCommand c = inFlight.poll(); c != null; c = inFlight.poll()) {
      c.inFlight = false;
      c.losses++;
      if (c.losses > MAX_LOSSES) {
        hopeless.add(c);
        continue;
      }
      c.uncertain = changes(c);
      (c.uncertain ? held : lost).add(c);
      lastLost = c.uncertain ? association : lastLost;
    }
    lost.addAll(delayed);
    failHopeless(hopeless);
    if (returns && !finished) {
      refusal = Status.DISCONNECTED;
    }
    Status refused = refusal;
    if (refused != null) {
      failAll(refused);
    }
    if (future != null) {
      future.completeExceptionally(new RemoraException(Status.ABORTED, "the connection was closed"));
    }
  }

  /** A command on which one association after the other breaks may be the reason. */
  private void failHopeless(CommandList hopeless) {
    boolean uncertain = false;
    for (HostCommand c = hopeless.poll(); c != null; c = hopeless.poll()) {
      uncertain |= changes(c);
      end(c, Status.DISCONNECTED);
    }
    if (uncertain) {
      owner.onUncertainFailed();
    }
  }

  /** Completes everything with {@code status}, and what comes later too, until {@link #release}. */
  void refuse(Status status) {
    if (!finished && phase != Phase.LIVE) {
      refusal = status;
      failAll(status);
    }
  }

  /** Completes everything with {@code status}, now and for ever, and frees what the queue holds. */
  void finish(Status status) {
    if (finished) {
      return;
    }
    finished = true;
    refusal = status;
    disconnect();
    failAll(status);
    memory.close();
  }

  private void failAll(Status status) {
    boolean all = finished || !returns;
    boolean uncertain = all && held.size() > 0;
    if (all) {
      lost.addAll(held);
    }
    for (HostCommand c = lost.poll(); c != null; c = lost.poll()) {
      end(c, status);
    }
    for (HostIo io = requests.first(); io != null; io = requests.first()) {
      requests.removeFirst();
      io.issued = true;
      io.status = status;
      if (io.outstanding == 0) {
        requests.complete(io);
      }
    }
    if (uncertain) {
      owner.onUncertainFailed();
    }
  }

  // Time.

  @Override
  public void onSlow(HostCommand command) {
    owner.onSlowCommand(association, queueId, command.cid);
  }

  @Override
  public void onOverdue(HostCommand command) {
    onFailed(Status.TIMED_OUT,
        command + " was not answered within " + 2 * options.times().ioNs() / 1_000_000 + " ms");
  }

  private void onRetry() {
    lost.addAll(delayed);
    pump();
  }

  /** For tests and people: commands in flight, waiting to be sent again, held; requests waiting. */
  @Override
  public String toString() {
    return "I/O queue %d %s: %d in flight, %d delayed, %d lost, %d held, %d requests waiting".formatted(queueId, phase,
        inFlight.size(), delayed.size(), lost.size(), held.size(), requests.size());
  }
}
