package io.remora.nvme.host;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Aborts commands that take too long: each once, and as many at a time as the controller takes (ACL). Those beyond that wait for
 * their turn, in which only what is still in flight is aborted. Belongs to the controller's first loop.
 *
 * <p>What an Abort does not help, the queue's second time-out ends with a reset of the controller.
 */
final class SlowCommands {
  /** More than the commands of any controller here; what is dropped is ended by the reset. */
  private static final int MAX_WAITING = 1 << 16;

  private record Slow(int queueId, int cid) {}

  private final HostQueues queues;
  private final Runnable onSent;
  private final ArrayDeque<Slow> waiting = new ArrayDeque<>();
  private @Nullable Association association;
  private int inFlight;
  private long sent;

  /** Calls {@code onSent} for each Abort. */
  SlowCommands(HostQueues queues, Runnable onSent) {
    this.queues = queues;
    this.onSent = onSent;
  }

  /** How many Abort commands were sent. */
  long sent() {
    return sent;
  }

  /** Commands of {@code live} may be slow from now on; those of others are nobody's business any more. */
  void start(Association live) {
    association = live;
    inFlight = 0;
    waiting.clear();
  }

  /** There is no association any more. */
  void stop() {
    association = null;
    waiting.clear();
  }

  /** Has the association {@code number} abort a command. */
  void abort(int number, int queueId, int cid) {
    Association current = association;
    if (current != null && current.number() == number && waiting.size() < MAX_WAITING) {
      waiting.add(new Slow(queueId, cid));
      next(current);
    }
  }

  private void next(Association current) {
    while (association == current && inFlight < current.info().aborts() && !waiting.isEmpty()) {
      Slow slow = waiting.remove();
      inFlight++;
      queues.inFlight(slow.queueId, slow.cid).thenAccept(still -> {
        if (still && association == current) {
          send(current, slow);
        } else {
          done(current);
        }
      });
    }
  }

  private void send(Association current, Slow slow) {
    sent++;
    onSent.run();
    current.admin().submit(AdminCommand.abort(slow.queueId, slow.cid)).whenComplete((v, e) -> done(current));
  }

  private void done(Association of) {
    if (association == of) {
      inFlight--;
      next(of);
    }
  }
}
