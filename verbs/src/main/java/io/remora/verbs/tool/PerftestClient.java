package io.remora.verbs.tool;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.Context;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The measuring end of {@code ib_send_bw}, {@code ib_write_bw}, {@code ib_read_bw} and {@code ib_atomic_bw} of perftest, each with {@code -R}: two connections by the connection manager, one to
 * agree and one for the operations. Belongs to its context's loop, and all its methods are called there.
 */
public final class PerftestClient implements AutoCloseable {
  /** Hears how it has gone, on the loop. */
  public interface Listener {
    /**
     * It is over: {@link Status#OK} when all iterations went well, {@link Status#MISCOMPARE} when one has brought what it could not. Once, the last call.
     *
     * @param report of the run, when there was a whole one
     */
    void onEnd(Status status, String text, @Nullable PerftestReport report);
  }

  /** How long a server may take to go after the last word. */
  private static final long LEAVE_NS = 2_000_000_000L;

  private final Context context;
  private final InetSocketAddress address;
  private final PerftestJob job;
  private final Listener listener;
  private final Timer leaving;
  private final Control control;
  private @Nullable Data data;
  private @Nullable PerftestReport report;
  private boolean over;

  /** Begins to connect to {@code address}. Throws {@link RemoraException} when the device cannot do what the job asks for. */
  public PerftestClient(Context context, InetSocketAddress address, PerftestJob job, Listener listener) {
    checkDevice(context, job);
    this.context = context;
    this.address = address;
    this.job = job;
    this.listener = listener;
    this.leaving = context.loop().timer(this::done);
    this.control = new Control();
    control.connect(address, new CmId.Parameters(MemorySegment.NULL, 0, 0));
  }

  /** Refuses a job that the device cannot do. */
  static void checkDevice(Context context, PerftestJob job) {
    Operation operation = job.operation();
    if (operation.isAtomic() && !context.attributes().can(Capability.ATOMICS)) {
      throw new RemoraException(Status.UNSUPPORTED,
          "provider " + context.attributes().provider() + ": atomics are not supported");
    }
    int requests = Math.max(job.depth(), job.window());
    Check.argument(requests <= context.attributes().maxWorkRequests(), "%d requests at once: the device has %d",
        requests, context.attributes().maxWorkRequests());
  }

  /** Breaks it off, if it is not over; nothing is called any more. Idempotent. */
  @Override
  public void close() {
    over = true;
    leaving.cancel();
    Data open = data;
    if (open != null) {
      open.close();
    }
    control.close();
  }

  private void done() {
    finish(Status.OK, job.iterations() + " iterations");
  }

  /** A connection has ended before all was said, in whatever order. */
  private void broken(Status reason, String text) {
    finish(reason.isOk() ? Status.DISCONNECTED : reason, "at step " + control.step() + ": " + text);
  }

  /** Both connections go at the end of the turn. */
  private void finish(Status status, String text) {
    if (!over) {
      over = true;
      context.loop().defer(() -> {
        close();
        listener.onEnd(status, text, status.isOk() ? report : null);
      });
    }
  }

  /** The first connection. */
  private final class Control extends PerftestControl {
    Control() {
      super(PerftestClient.this.context, job.operation(), true);
    }

    @Override
    PerftestMessages.Memory offered() {
      Data open = data;
      return open == null ? PerftestMessages.Memory.NONE : open.offered();
    }

    @Override
    PerftestReport report() {
      PerftestReport made = report;
      return made == null ? PerftestReport.NONE : made;
    }

    @Override
    void connecting() {
      Data made = new Data(talk().slots(job.bytes()));
      data = made;
      made.connect(address);
    }

    @Override
    void running() {
      Data open = data;
      if (open != null) {
        open.run(talk().heard());
      }
    }

    /** This connection is the server's to end: perftest's fails when its last message has not completed by then. */
    @Override
    void finished() {
      leaving.arm(LEAVE_NS);
      Data open = data;
      if (open != null) {
        open.disconnect();
      }
    }

    @Override
    void onEnd(Status reason, String text) {
      if (isFinished()) {
        done();
      } else {
        broken(reason, text);
      }
    }
  }

  /** The second one. */
  private final class Data extends PerftestRequests {
    Data(PerftestSlots slots) {
      super(PerftestClient.this.context, job, slots);
    }

    @Override
    void onConnected() {
      control.proceed();
    }

    @Override
    void onDone(long elapsedNs) {
      report = PerftestReport.of(job.bytes(), job.iterations(), elapsedNs);
      control.proceed();
    }

    @Override
    void onEnd(Status reason, String text) {
      if (!control.isFinished()) {
        broken(reason, text);
      }
    }
  }
}
