package io.remora.nvme.host;

import io.remora.base.Loop;
import io.remora.base.Timer;
import io.remora.nvme.NvmeStatus;
import org.jspecify.annotations.Nullable;

/**
 * The commands of one I/O queue that are to be sent again. Each is delayed (the controller asked to try again later), lost (its connection went away), or held: lost too, but it changes data and the
 * old association may still carry it out, see {@link HostOptions.Resend}. Belongs to the queue's loop.
 *
 * <p>Invariant: a command that changes data is not given to be sent while the gate is closed; what is held stays so until {@link #open}.
 */
final class ResendQueue {
  private static final int MAX_RETRIES = 5;
  /** So many associations may end under a command before it is given up. */
  private static final int MAX_LOSSES = 20;
  private static final long RETRY_NS = 100_000_000;

  private final CommandList delayed = new CommandList();
  private final CommandList lost = new CommandList();
  private final CommandList held = new CommandList();
  private final Timer retryTimer;
  /** The last association that left something to hold. */
  private int lastLost;
  private boolean gated;

  /** Calls {@code onDue} when delayed commands may be sent. */
  ResendQueue(Loop loop, Runnable onDue) {
    this.retryTimer = loop.timer(() -> {
      lost.addAll(delayed);
      onDue.run();
    });
  }

  /** Delays {@code command}, which was answered with {@code status}; false when that is final. */
  boolean delay(HostCommand command, int status) {
    if (!mayRetry(status) || command.retries >= MAX_RETRIES) {
      return false;
    }
    command.retries++;
    delayed.add(command);
    if (!retryTimer.armed()) {
      retryTimer.arm(RETRY_NS);
    }
    return true;
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

  /** The end of {@code association} cut {@code command} off; false when this has happened too often: one on which each association breaks may be the reason. */
  boolean cutOff(HostCommand command, int association) {
    command.losses++;
    if (command.losses > MAX_LOSSES) {
      return false;
    }
    command.uncertain = command.changesData();
    if (command.uncertain) {
      held.add(command);
      lastLost = association;
    } else {
      lost.add(command);
    }
    return true;
  }

  /** The connection is gone: delayed commands are lost with it, after those that were {@linkplain #cutOff cut off}. */
  void disconnected() {
    retryTimer.cancel();
    lost.addAll(delayed);
  }

  /** Takes out the next one to be sent; null when there is none. One whose namespace was removed comes too, to be ended. */
  @Nullable
  HostCommand next() {
    for (HostCommand c = lost.poll(); c != null; c = lost.poll()) {
      if (!gated || !c.changesData() || c.namespaceRemoved()) {
        return c;
      }
      held.add(c);
    }
    return null;
  }

  /** Whether commands that change data wait, see {@link QueueOwner#onUncertainFailed}. */
  boolean gated() {
    return gated;
  }

  /** Commands that change data wait, or do not. */
  void gate(boolean closed) {
    gated = closed;
  }

  /**
   * Whatever was lost by associations up to {@code number} cannot be carried out by them any more: no command waits for the gate. Then {@link #unhold}, or each {@link #pollHeld}.
   *
   * @return false when something was lost by a later association: nothing has changed
   */
  boolean open(int number) {
    if (number < lastLost) {
      return false;
    }
    gated = false;
    for (HostCommand c = held.first(); c != null; c = c.next) {
      c.uncertain = false;
    }
    return true;
  }

  /** What is held is lost like the others. */
  void unhold() {
    lost.addAll(held);
  }

  /** Whether any command is held. */
  boolean holds() {
    return held.size() > 0;
  }

  /** Takes out one that is held; null when there is none. */
  @Nullable
  HostCommand pollHeld() {
    return held.poll();
  }

  /** Takes out one that is lost, whatever it does; null when there is none. */
  @Nullable
  HostCommand pollLost() {
    return lost.poll();
  }

  /** The most data that one of them has which is lost or held, in bytes. */
  long mostBytes() {
    return Math.max(lost.mostBytes(), held.mostBytes());
  }

  @Override
  public String toString() {
    return "%d delayed, %d lost, %d held".formatted(delayed.size(), lost.size(), held.size());
  }
}
