package io.remora.verbs.tool;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.CmListener;
import io.remora.verbs.CmRequest;
import io.remora.verbs.Context;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The other end of {@code ib_send_bw}, {@code ib_write_bw}, {@code ib_read_bw} and {@code ib_atomic_bw} of perftest, each with {@code -R}: one client at a time, one after the other, all with the
 * same job. Belongs to its context's loop, and all its methods are called there.
 */
public final class PerftestServer implements AutoCloseable {
  /** Hears of the clients, on the loop. */
  public interface Listener {
    /** Both connections of a client stand, and its operations begin. */
    default void onBegin(InetSocketAddress client) {}

    /**
     * A client has gone: {@link Status#OK} after a whole run in which the data was in order, as far as this end can tell.
     *
     * @param report of a whole run: what the client says of it, or what this end has received
     */
    void onEnd(InetSocketAddress client, Status status, String text, @Nullable PerftestReport report);
  }

  /** How long a client that has said good-bye may take to go. */
  private static final long LEAVE_NS = 5_000_000_000L;

  private final Context context;
  private final PerftestJob job;
  private final Listener listener;
  private final CmListener connections;
  private final Set<Session> sessions = new LinkedHashSet<>();
  private @Nullable Session current;

  /** Listens at {@code address}; port 0 picks a free one. Throws what {@link io.remora.verbs.ConnectionManager#listen} throws, and when the device cannot do the job. */
  public PerftestServer(Context context, InetSocketAddress address, PerftestJob job, Listener listener) {
    PerftestClient.checkDevice(context, job);
    this.context = context;
    this.job = job;
    this.listener = listener;
    this.connections = context.connectionManager().listen(address, QueuePairType.RC, this::onRequest);
  }

  /** Where it listens. */
  public InetSocketAddress localAddress() {
    return connections.localAddress();
  }

  private void onRequest(CmRequest request) {
    Session session = current;
    if (session == null) {
      begin(request);
    } else if (session.awaits(request)) {
      session.join(request);
    } else {
      request.reject(MemorySegment.NULL);
    }
  }

  private void begin(CmRequest request) {
    Session session;
    try {
      session = new Session(request.remoteAddress());
    } catch (RemoraException e) {
      request.reject(MemorySegment.NULL);
      listener.onEnd(request.remoteAddress(), e.status(), e.getMessage(), null);
      return;
    }
    current = session;
    sessions.add(session);
    session.accept(request);
  }

  /** Ends all runs; nothing is called any more. Idempotent. */
  @Override
  public void close() {
    connections.close();
    List.copyOf(sessions).forEach(Session::close);
    sessions.clear();
    current = null;
  }

  /** One client's run, and its first connection. */
  private final class Session extends PerftestControl {
    private final InetSocketAddress client;
    private final Timer leaving;
    private @Nullable PerftestTarget target;
    private boolean over;

    Session(InetSocketAddress client) {
      super(PerftestServer.this.context, job.operation(), false);
      this.client = client;
      this.leaving = context().loop().timer(this::judge);
    }

    /** Whether the request can be for the second connection. */
    boolean awaits(CmRequest request) {
      return target == null && step() == PerftestStep.CONNECT
          && request.remoteAddress().getAddress().equals(client.getAddress());
    }

    void join(CmRequest request) {
      PerftestTarget made;
      try {
        PerftestSlots slots = talk().slots(job.bytes());
        made = job.operation() == Operation.SEND
            ? new PerftestReceives(context(), job, slots, this::onTargetEnd)
            : new PerftestMemory(context(), job, slots, this::onTargetEnd);
      } catch (RemoraException e) {
        request.reject(MemorySegment.NULL);
        end(e.status(), e.getMessage());
        return;
      }
      target = made;
      made.accept(request);
      if (!made.ended()) {
        proceed();
      }
    }

    @Override
    PerftestMessages.Memory offered() {
      PerftestTarget open = target;
      return open == null ? PerftestMessages.Memory.NONE : open.offered();
    }

    /** Of the server's nobody takes notice. */
    @Override
    PerftestReport report() {
      return PerftestReport.NONE;
    }

    @Override
    void connecting() {
      // The client connects when it has the answer.
    }

    @Override
    void running() {
      PerftestTarget open = target;
      if (open != null) {
        listener.onBegin(client);
        open.begin(talk().heard(), this::proceed);
      }
    }

    /** All has been said. Something may be on its way on the second connection still, so the data is looked at when that has ended. */
    @Override
    void finished() {
      // The next one may come.
      current = null;
      leaving.arm(LEAVE_NS);
    }

    private void onTargetEnd(Status reason, String text) {
      if (isFinished()) {
        judge();
      } else {
        end(reason.isOk() ? Status.DISCONNECTED : reason,
            "at step " + step() + " the second connection has ended: " + text);
      }
    }

    @Override
    void onEnd(Status reason, String text) {
      if (!isFinished()) {
        finish(reason.isOk() ? Status.DISCONNECTED : reason, "at step " + step() + ": " + text, null);
      }
    }

    /** The client has gone, or has had the time. */
    private void judge() {
      PerftestTarget open = target;
      long iterations = job.operation() == Operation.SEND ? job.iterations() : talk().said().iterations();
      if (open == null || iterations < 0) {
        finish(Status.PROTOCOL_ERROR, "a report of " + iterations + " iterations", null);
        return;
      }
      String wrong = open.check(iterations);
      if (wrong == null) {
        finish(Status.OK, iterations + " iterations", open.report(talk().said()));
      } else {
        finish(Status.MISCOMPARE, wrong, null);
      }
    }

    private void finish(Status status, String text, @Nullable PerftestReport report) {
      if (over) {
        return;
      }
      over = true;
      sessions.remove(this);
      if (current == this) {
        current = null;
      }
      context().loop().defer(() -> {
        close();
        listener.onEnd(client, status, text, report);
      });
    }

    @Override
    public void close() {
      over = true;
      leaving.cancel();
      PerftestTarget open = target;
      if (open != null) {
        open.close();
      }
      super.close();
    }
  }
}
