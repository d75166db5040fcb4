package io.remora.verbs.tool;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.CmId;
import io.remora.verbs.CmRequest;
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
import io.remora.verbs.WorkStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * An end of one of the two connections that a run of perftest has: its queue pair, with a completion queue and memory that nothing else uses. Belongs to its context's loop.
 *
 * <p>A server of perftest listens for one connection at a time, and not in between: who is refused tries again, for a bounded time.
 */
abstract class PerftestLink implements CmId.Handler, AutoCloseable {
  private static final int ATTEMPTS = 50;
  private static final long PAUSE_NS = 100_000_000;

  private final Context context;
  private final int sends;
  private final int receives;
  private final Arena arena;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final WorkCompletions polled = new WorkCompletions(64);
  private final Deque<MemoryRegion> regions = new ArrayDeque<>();
  private final Timer pause;
  private @Nullable InetSocketAddress target;
  private CmId.Parameters parameters = CmId.Parameters.DEFAULT;
  private int attempts;
  private @Nullable CmId id;
  private @Nullable QueuePair queuePair;
  private boolean ended;
  private boolean closed;

  /**
   * Not connected.
   *
   * @param sends requests that are under way at once
   * @param receives the same
   */
  PerftestLink(Context context, int sends, int receives) {
    this.context = context;
    this.sends = sends;
    this.receives = receives;
    this.pause = context.loop().timer(this::again);
    this.arena = context.loop().newArena();
    this.domain = context.allocateProtectionDomain();
    this.completions = context.createCompletionQueue(sends + receives, this::onEvent);
  }

  /** Zeroed memory of this link, registered for {@code access}. */
  MemoryRegion allocate(long bytes, int access) {
    MemoryRegion region = domain.register(context.allocate(arena, bytes), access);
    regions.push(region);
    return region;
  }

  Context context() {
    return context;
  }

  /** The queue pair's number, for people. */
  int number() {
    return queuePair == null ? 0 : queuePair.number();
  }

  boolean ended() {
    return ended;
  }

  // What the subclass has to say.

  /** The queue pair is there: the time to post receives. */
  void ready() {}

  /** A request has succeeded. */
  abstract void completed(WorkCompletions completions, int index);

  /** What had completed has been seen. */
  void settled() {}

  /** It has ended, or could not be made. Once. */
  abstract void onEnd(Status reason, String text);

  // The connection.

  /** The connecting end. */
  void connect(InetSocketAddress address, CmId.Parameters wanted) {
    target = address;
    parameters = wanted;
    resolve(address);
  }

  private void resolve(InetSocketAddress address) {
    attempts++;
    try {
      id = context.connectionManager().resolve(address, QueuePairType.RC, this);
    } catch (RemoraException e) {
      end(e.status(), e.getMessage());
    }
  }

  @Override
  public void onResolved() {
    CmId resolved = id;
    if (resolved != null && !ended) {
      try {
        use(resolved);
        resolved.connect(parameters);
      } catch (RemoraException e) {
        end(e.status(), e.getMessage());
      }
    }
  }

  /** The accepting end. */
  void accept(CmRequest request) {
    try {
      CmId attached = request.attach(context, this);
      id = attached;
      use(attached);
      int most = context.attributes().maxReads();
      attached.accept(new CmId.Parameters(MemorySegment.NULL, Math.min(most, request.responderResources()),
          Math.min(most, request.initiatorDepth())));
    } catch (RemoraException e) {
      end(e.status(), e.getMessage());
    }
  }

  private void use(CmId connection) {
    queuePair = connection.createQueuePair(domain, QueuePairConfig.rc(completions, sends, receives).withRequests(1, 0));
    completions.requestNotify(false);
    ready();
  }

  private void again() {
    InetSocketAddress to = target;
    if (!ended && to != null) {
      disconnected();
      resolve(to);
    }
  }

  @Override
  public void onRejected(int reason, MemorySegment privateData) {
    retry(Status.DENIED, "refused by the other end, reason " + reason);
  }

  @Override
  public void onFailed(Status reason, String text) {
    retry(reason, text);
  }

  private void retry(Status reason, String text) {
    if (target == null || attempts == ATTEMPTS) {
      end(reason, text);
    } else if (!ended) {
      pause.arm(PAUSE_NS);
    }
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    end(reason, text);
  }

  /** Ends the connection in order; {@link #onEnd} follows. */
  void disconnect() {
    CmId present = id;
    if (present != null && !ended) {
      present.disconnect();
    }
  }

  // Requests.

  void post(SendRequest request) {
    QueuePair to = queuePair;
    Status status = to == null ? Status.INVALID : to.postSend(request);
    if (!status.isOk()) {
      end(status, request.opcode() + " was refused: " + status.text());
    }
  }

  void post(ReceiveRequest request) {
    QueuePair to = queuePair;
    Status status = to == null ? Status.INVALID : to.postReceive(request);
    // A connection that has just ended takes no more; its handler hears why.
    if (!status.isOk() && status != Status.INVALID) {
      end(status, "a receive was refused: " + status.text());
    }
  }

  private void onEvent() {
    if (ended) {
      return;
    }
    completions.requestNotify(false);
    while (!ended && completions.poll(polled) > 0) {
      for (int i = 0; i < polled.count() && !ended; i++) {
        if (polled.ok(i)) {
          completed(polled, i);
        } else if (polled.status(i) != WorkStatus.FLUSH_ERROR) {
          end(Status.DISCONNECTED, "a request has failed: " + polled.status(i).text());
        }
      }
    }
    if (!ended) {
      settled();
    }
  }

  // The end.

  /** Ends it for that reason; what it holds is freed at the end of the turn. */
  void end(Status reason, String text) {
    if (!ended) {
      ended = true;
      onEnd(reason, text);
      context.loop().defer(this::free);
    }
  }

  private void disconnected() {
    CmId present = id;
    QueuePair pair = queuePair;
    id = null;
    queuePair = null;
    if (present != null) {
      // Before the queue pair goes: so the other end hears of an orderly end.
      present.disconnect();
    }
    if (pair != null) {
      pair.close();
    }
    if (present != null) {
      present.close();
    }
  }

  private void free() {
    if (!closed) {
      closed = true;
      pause.cancel();
      stop();
      disconnected();
      completions.close();
      regions.forEach(MemoryRegion::close);
      domain.close();
      arena.close();
    }
  }

  /** Disarms the subclass's timers. */
  void stop() {}

  /** Frees everything; {@link #onEnd} is not called any more. Idempotent. */
  @Override
  public void close() {
    ended = true;
    free();
  }
}
