package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One I/O queue, across all its connections: it turns requests into commands, keeps to the depth, and sends again what was cut
 * off. Lives on one loop.
 *
 * <p>A command is free, in flight, or to be sent again ({@link ResendQueue}). Requests that do not fit into the depth wait in order; their number is bounded.
 */
final class HostQueue implements HostLink.Events, InFlightCommands.Handler {
  private final QueueOwner owner;
  private final Loop loop;
  private final int queueId;
  private final HostOptions options;
  /** Requests come back while there is no connection: {@link HostOptions.OnLoss#RETURN}. */
  private final boolean returns;
  private final Arena memory = Arena.ofShared();
  private final HostCommand[] commands;
  private final CommandBuilder builder;

  private final CommandList free = new CommandList();
  private final InFlightCommands inFlight;
  private final ResendQueue resends;
  private final RequestQueue requests;
  private final QueueLink link;
  private int limit;
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
    this.builder = new CommandBuilder(memory);
    this.inFlight = new InFlightCommands(loop, options.times().ioNs(), this);
    this.resends = new ResendQueue(loop, this::pump);
    this.requests = new RequestQueue(loop);
    this.link = new QueueLink(loop, queueId, slots, options.times().connectNs(), this);
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
    while (link.live() && inFlight.size() < limit) {
      HostCommand again = resends.next();
      if (again != null) {
        if (again.namespaceRemoved()) {
          end(again, Status.NOT_FOUND);
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
        requests.failFirst(Status.NOT_FOUND);
        continue;
      }
      if (resends.gated() && HostIo.changes(request.op)) {
        return;
      }
      free.remove(command);
      command.begin(0, namespace.nsid());
      command.io = io;
      requests.issuedFirst(builder.build(command, request, namespace.blockSize(), io.issuedBytes));
      send(command);
    }
  }

  private void send(HostCommand command) {
    inFlight.add(command);
    link.send(command);
  }

  // Answers.

  @Override
  public @Nullable HostCommand command(int cid) {
    int slot = HostCommand.slotOf(cid);
    HostCommand command = slot < commands.length ? commands[slot] : slot == commands.length ? link.control() : null;
    return command != null && command.inFlight && command.cid == cid ? command : null;
  }

  @Override
  public void onResponse(HostCommand command, long result, int sqhd, int status) {
    command.inFlight = false;
    if (command == link.control()) {
      link.onConnected(status, result);
      return;
    }
    inFlight.remove(command);
    if (!NvmeStatus.isSuccess(status) && triesAgain(command, status)) {
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
      owner.onPathError(link.association());
      if (returns) {
        return false;
      }
    }
    return resends.delay(command, status);
  }

  /** A command has ended: so may have its request. */
  private void end(HostCommand command, Status outcome) {
    HostIo io = command.io;
    assert io != null;
    command.release();
    free.add(command);
    requests.ended(io, outcome);
  }

  // Connections.

  /**
   * Joins an association; the future is done when the controller has answered Connect. Then {@link #release}. Fails with
   * NO_RESOURCES while a command that was cut off has more data than the controller takes now.
   */
  CompletableFuture<Void> join(HostTransport transport, QueueConnect parameters) {
    if (finished) {
      return CompletableFuture.failedFuture(new RemoraException(Status.ABORTED, "closed"));
    }
    long longest = resends.mostBytes();
    if (longest > parameters.maxTransferBytes()) {
      // It is made for the old limit. It may wait for a controller that takes it, until I/O is not held any longer.
      return CompletableFuture.failedFuture(new RemoraException(Status.NO_RESOURCES,
          "the controller takes " + parameters.maxTransferBytes() + " bytes per command, less than before, and one of "
              + longest + " is still to be sent again"));
    }
    limit = parameters.limit();
    builder.limits(parameters.info(), parameters.maxTransferBytes());
    return link.join(transport, parameters);
  }

  @Override
  public void onReady() {
    link.onReady();
  }

  /**
   * Lets commands flow on the association joined.
   *
   * @param gate whether commands that change data wait for {@link #openFence}
   */
  void release(int number, boolean gate) {
    if (!finished && link.release(number)) {
      resends.gate(gate);
      refusal = null;
      pump();
    }
  }

  /** Whatever was lost by associations up to {@code number} cannot be carried out by them any more. */
  void openFence(int number) {
    if (resends.open(number)) {
      if (returns) {
        for (HostCommand c = resends.pollHeld(); c != null; c = resends.pollHeld()) {
          end(c, Status.DISCONNECTED);
        }
      }
      resends.unhold();
      pump();
    }
  }

  /** Commands that change data wait from now on for {@link #openFence}. */
  void gate() {
    resends.gate(true);
  }

  @Override
  public void onFailed(Status reason, String text) {
    if (link.down()) {
      return;
    }
    int number = link.association();
    CompletableFuture<Void> joining = takeDown();
    if (joining != null) {
      joining.completeExceptionally(new RemoraException(reason, "I/O queue " + queueId + ": " + text));
    } else {
      owner.onQueueFailed(number, reason, "I/O queue " + queueId + ": " + text);
    }
  }

  /** Takes the connection down, if there is one; what was in flight is lost. */
  void disconnect() {
    if (link.down()) {
      return;
    }
    CompletableFuture<Void> joining = takeDown();
    if (joining != null) {
      joining.completeExceptionally(new RemoraException(Status.ABORTED, "the connection was closed"));
    }
  }

  /** Gives the future of who still joins, to be told why it does not come to that. */
  private @Nullable CompletableFuture<Void> takeDown() {
    inFlight.stop();
    CompletableFuture<Void> joining = link.close(inFlight.size() > 0);
    CommandList hopeless = new CommandList();
    for (HostCommand c = inFlight.poll(); c != null; c = inFlight.poll()) {
      c.inFlight = false;
      if (!resends.cutOff(c, link.association())) {
        hopeless.add(c);
      }
    }
    resends.disconnected();
    failHopeless(hopeless);
    if (returns && !finished) {
      refusal = Status.DISCONNECTED;
    }
    Status refused = refusal;
    if (refused != null) {
      failAll(refused);
    }
    return joining;
  }

  private void failHopeless(CommandList hopeless) {
    boolean uncertain = false;
    for (HostCommand c = hopeless.poll(); c != null; c = hopeless.poll()) {
      uncertain |= c.changesData();
      end(c, Status.DISCONNECTED);
    }
    if (uncertain) {
      owner.onUncertainFailed();
    }
  }

  /** Completes everything with {@code status}, and what comes later too, until {@link #release}. */
  void refuse(Status status) {
    if (!finished && !link.live()) {
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
    boolean uncertain = all && resends.holds();
    if (all) {
      resends.unhold();
    }
    for (HostCommand c = resends.pollLost(); c != null; c = resends.pollLost()) {
      end(c, status);
    }
    while (requests.first() != null) {
      requests.failFirst(status);
    }
    if (uncertain) {
      owner.onUncertainFailed();
    }
  }

  // Time.

  @Override
  public void onSlow(HostCommand command) {
    owner.onSlowCommand(link.association(), queueId, command.cid);
  }

  @Override
  public void onOverdue(HostCommand command) {
    onFailed(Status.TIMED_OUT,
        command + " was not answered within " + 2 * options.times().ioNs() / 1_000_000 + " ms");
  }

  /** For tests and people: commands in flight, waiting to be sent again, held; requests waiting. */
  @Override
  public String toString() {
    return "I/O queue %d %s: %d in flight, %s, %d requests waiting".formatted(queueId, link, inFlight.size(), resends,
        requests.size());
  }
}
