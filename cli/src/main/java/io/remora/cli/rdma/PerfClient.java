package io.remora.cli.rdma;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * The measuring end: a closed loop of {@code depth} operations, each begun anew when it has completed. Belongs to its context's loop; allocates nothing per operation. The
 * latency of a write, read or atomic goes from its post to its completion here; that of a send is half of the way there and back.
 */
public final class PerfClient implements CmId.Handler {
  /**
   * How to measure.
   *
   * @param terms what
   * @param rampNs first so long without counting, in nanoseconds
   * @param runtimeNs then so long, in nanoseconds
   * @param operations at most so many; 0: as many as there is time for
   * @param pauseNs between an operation's completion and the next, in nanoseconds; 0 unless it is a ping
   */
  record Plan(PerfTerms terms, long rampNs, long runtimeNs, long operations, long pauseNs) {}

  /**
   * What came of it.
   *
   * @param latency of the operations that were counted, in nanoseconds
   * @param elapsedNs for how long they were counted, in nanoseconds
   */
  record Result(Histogram latency, long elapsedNs) {
    double perSecond() {
      return elapsedNs == 0 ? 0 : latency.getTotalCount() * 1e9 / elapsedNs;
    }
  }

  private static final long MAX_LATENCY_NS = 60_000_000_000L;

  private final Context context;
  private final Plan plan;
  private final PerfTerms terms;
  private final InetSocketAddress address;
  private final LongConsumer onSample;
  private final CompletableFuture<Result> done = new CompletableFuture<>();
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final Arena arena;
  private final MemoryRegion region;
  private final SendRequest[] requests;
  private final ReceiveRequest receive = new ReceiveRequest();
  private final WorkCompletions polled = new WorkCompletions(64);
  private final long[] begunNs;
  private final Histogram latency = new Histogram(MAX_LATENCY_NS, 3);
  private final Timer clock;
  private final Timer pause;
  private final CmId id;
  private @Nullable QueuePair queuePair;
  private boolean counting;
  private boolean closed;
  private long countSinceNs;
  private int sent;

  private PerfClient(Context context, InetSocketAddress address, Plan plan, LongConsumer onSample) {
    this.context = context;
    this.plan = plan;
    this.terms = plan.terms();
    this.address = address;
    this.onSample = onSample;
    if (terms.operation() == PerfTerms.Operation.ATOMIC && !context.attributes().can(Capability.ATOMICS)) {
      throw new RemoraException(Status.UNSUPPORTED,
          "provider " + context.attributes().provider() + ": atomics are not supported");
    }
    this.domain = context.allocateProtectionDomain();
    this.completions = context.createCompletionQueue(4 * terms.depth() + 16, this::onEvent);
    this.arena = context.loop().newArena();
    MemorySegment memory = context.allocate(arena, terms.memoryBytes());
    this.region = domain.register(memory, Access.LOCAL_WRITE);
    this.requests = new SendRequest[terms.depth()];
    this.begunNs = new long[terms.depth()];
    this.clock = context.loop().timer(this::onClock);
    this.pause = context.loop().timer(() -> begin(0));
    this.id = context.connectionManager().resolve(address, QueuePairType.RC, this);
  }

  /**
   * Measures, on the context's loop; the future completes there, and everything is closed then.
   *
   * @param onSample hears each counted latency in nanoseconds; must not allocate
   */
  static CompletableFuture<Result> run(Context context, InetSocketAddress address, Plan plan, LongConsumer onSample) {
    return new PerfClient(context, address, plan, onSample).done;
  }

  @Override
  public void onResolved() {
    QueuePair made = id.createQueuePair(domain,
        QueuePairConfig.rc(completions, 2 * terms.depth() + 8, 2 * terms.depth()));
    queuePair = made;
    if (terms.operation() == PerfTerms.Operation.SEND) {
      for (int i = 0; i < terms.depth(); i++) {
        postReceive(i);
      }
    }
    int reads = Math.min(context.attributes().maxReads(), Math.max(16, terms.depth()));
    id.connect(new CmId.Parameters(terms.encode(), 0, reads));
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    PerfTerms.Memory lent;
    try {
      lent = PerfTerms.Memory.decode(connection.privateData());
      if (lent.bytes() < terms.memoryBytes()) {
        throw new RemoraException(Status.PROTOCOL_ERROR,
            address + " lends " + lent.bytes() + " bytes, not the " + terms.memoryBytes() + " that were asked for");
      }
    } catch (RemoraException e) {
      finish(e);
      return;
    }
    for (int i = 0; i < terms.depth(); i++) {
      long offset = (long) i * terms.stride();
      SendRequest request = new SendRequest().id(i).piece(region, offset, terms.bytes());
      switch (terms.operation()) {
        case SEND -> request.send().signalled(false);
        case WRITE -> request.write(lent.address() + offset, lent.key());
        case READ -> request.read(lent.address() + offset, lent.key());
        case ATOMIC -> request.fetchAndAdd(lent.address() + offset, lent.key(), 1);
      }
      requests[i] = request;
    }
    completions.requestNotify(false);
    clock.arm(Math.max(1, plan.rampNs()));
    for (int i = 0; i < terms.depth(); i++) {
      begin(i);
    }
  }

  private void begin(int slot) {
    QueuePair to = queuePair;
    if (closed || to == null) {
      return;
    }
    SendRequest request = requests[slot];
    if (terms.operation() == PerfTerms.Operation.SEND) {
      sent++;
      // One in so many gives the places in the queue back.
      request.signalled(sent % terms.depth() == 0);
    }
    begunNs[slot] = context.loop().clock().nanoTime();
    Status status = to.postSend(request);
    if (!status.isOk()) {
      finish(new RemoraException(status, "a request was refused: " + status.text()));
    }
  }

  private void postReceive(int slot) {
    QueuePair to = queuePair;
    if (to != null) {
      to.postReceive(receive.id(slot).piece(region, (long) slot * terms.stride(), terms.bytes()));
    }
  }

  private void onEvent() {
    if (closed) {
      return;
    }
    completions.requestNotify(false);
    while (!closed && completions.poll(polled) > 0) {
      for (int i = 0; i < polled.count() && !closed; i++) {
        completed(i);
      }
    }
  }

  private void completed(int index) {
    if (!polled.ok(index)) {
      finish(new RemoraException(Status.DISCONNECTED, "an operation failed: " + polled.status(index).text()));
      return;
    }
    boolean message = polled.opcode(index) == CompletionOpcode.RECEIVE;
    if (terms.operation() == PerfTerms.Operation.SEND && !message) {
      return;
    }
    int slot = (int) polled.id(index);
    if (message) {
      postReceive(slot);
    }
    if (counting) {
      long ns = context.loop().clock().nanoTime() - begunNs[slot];
      latency.recordValue(Math.clamp(message ? ns / 2 : ns, 1, MAX_LATENCY_NS));
      onSample.accept(ns);
      if (plan.operations() > 0 && latency.getTotalCount() >= plan.operations()) {
        finish(null);
        return;
      }
    }
    if (plan.pauseNs() > 0) {
      pause.arm(plan.pauseNs());
    } else {
      begin(slot);
    }
  }

  private void onClock() {
    if (counting) {
      finish(null);
    } else {
      counting = true;
      countSinceNs = context.loop().clock().nanoTime();
      clock.arm(plan.runtimeNs());
    }
  }

  @Override
  public void onRejected(int reason, MemorySegment privateData) {
    String why = PerfServer.text(privateData);
    finish(new RemoraException(Status.DENIED, address + " refuses: " + (why == null ? "reason " + reason : why)));
  }

  @Override
  public void onFailed(Status reason, String text) {
    finish(new RemoraException(reason, "cannot connect to " + address + ": " + text
        + "; is 'remora rdma perf --listen' running there, with the same provider?"));
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    finish(new RemoraException(Status.DISCONNECTED, "the connection has ended: " + text));
  }

  private void finish(@Nullable RemoraException failure) {
    if (closed) {
      return;
    }
    closed = true;
    clock.cancel();
    pause.cancel();
    Result result = new Result(latency, counting ? context.loop().clock().nanoTime() - countSinceNs : 0);
    // Not from within a completion or a handler.
    context.loop().defer(() -> {
      QueuePair open = queuePair;
      if (open != null) {
        open.close();
      }
      id.close();
      completions.close();
      region.close();
      domain.close();
      arena.close();
      if (failure == null) {
        done.complete(result);
      } else {
        done.completeExceptionally(failure);
      }
    });
  }
}
