package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.nvme.NvmeStatus;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The connection of one I/O queue to the association of the time: made, joined by Connect, released, taken down; again and again. Belongs to the queue's loop.
 *
 * <p>Invariant: the controller gets no command but Connect before the queue is released.
 */
final class QueueLink {
  private enum Phase {
    /** No connection. */
    DOWN,
    /** Connecting, or connected and not released yet. */
    JOINING,
    /** Commands may be sent. */
    LIVE
  }

  private final Loop loop;
  private final int queueId;
  private final long connectNs;
  private final HostLink.Events queue;
  private final HostCommand control;
  private final Timer timer;
  private Phase phase = Phase.DOWN;
  private @Nullable HostLink link;
  private @Nullable CompletableFuture<Void> joining;
  private @Nullable QueueConnect connect;
  private int association;

  /**
   * No connection yet.
   *
   * @param slot of the Connect command
   * @param connectNs until it is answered
   * @param queue hears what happens on the link, and when Connect was not answered in time
   */
  QueueLink(Loop loop, int queueId, int slot, long connectNs, HostLink.Events queue) {
    this.loop = loop;
    this.queueId = queueId;
    this.connectNs = connectNs;
    this.queue = queue;
    this.control = new HostCommand(slot, MemorySegment.NULL);
    this.timer = loop.timer(() -> queue.onFailed(Status.TIMED_OUT, "did not connect in time"));
  }

  /** Whether commands may be sent. */
  boolean live() {
    return phase == Phase.LIVE;
  }

  /** Whether there is no connection. */
  boolean down() {
    return phase == Phase.DOWN;
  }

  /** The Connect command. */
  HostCommand control() {
    return control;
  }

  /** The number of the association it was joined to last. */
  int association() {
    return association;
  }

  /** Begins to connect; the future is done when the controller has answered Connect. */
  CompletableFuture<Void> join(HostTransport transport, QueueConnect parameters) {
    Check.that(phase == Phase.DOWN, "I/O queue %d joins while it is %s", queueId, phase);
    CompletableFuture<Void> future = new CompletableFuture<>();
    phase = Phase.JOINING;
    joining = future;
    connect = parameters;
    association = parameters.association();
    timer.arm(connectNs);
    link = transport.connect(loop, parameters.link(), queue);
    return future;
  }

  /** The link takes commands: sends Connect. */
  void onReady() {
    QueueConnect parameters = connect;
    assert parameters != null;
    command(parameters).fill(control);
    control.inFlight = true;
    send(control);
  }

  private AdminCommand command(QueueConnect parameters) {
    return AdminCommand.connect(queueId, parameters.entries(), 0, parameters.data());
  }

  /** Connect was answered. */
  void onConnected(int status, long result) {
    QueueConnect parameters = connect;
    CompletableFuture<Void> future = joining;
    assert parameters != null && future != null;
    control.release();
    timer.cancel();
    joining = null;
    if (NvmeStatus.isSuccess(status)) {
      future.complete(null);
      return;
    }
    RemoraException failure = AdminQueue.failure(command(parameters), status, result);
    future.completeExceptionally(
        new RemoraException(failure.status(), "I/O queue " + queueId + ": " + failure.getMessage(), failure));
  }

  /** Lets commands flow; false when the association {@code number} is not the one joined, or not yet. */
  boolean release(int number) {
    if (phase != Phase.JOINING || number != association || joining != null) {
      return false;
    }
    phase = Phase.LIVE;
    return true;
  }

  void send(HostCommand command) {
    HostLink to = link;
    assert to != null;
    to.send(command);
  }

  /** Takes the connection down, {@code abruptly} as in {@link HostLink#close}; gives the future of who still joins, which nobody completes any more. */
  @Nullable
  CompletableFuture<Void> close(boolean abruptly) {
    phase = Phase.DOWN;
    timer.cancel();
    HostLink old = link;
    link = null;
    if (old != null) {
      old.close(abruptly);
    }
    CompletableFuture<Void> future = joining;
    joining = null;
    control.inFlight = false;
    control.release();
    return future;
  }

  @Override
  public String toString() {
    return phase.toString();
  }
}
