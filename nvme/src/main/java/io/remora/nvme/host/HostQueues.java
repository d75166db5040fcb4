package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The I/O queues of one controller, spread over its loops: made at the first association, joined to each further one. Belongs to
 * the controller's first loop, where its futures are done; {@link #choose} and {@link #loops} may be called from any thread.
 */
final class HostQueues {
  private final HostTransport transport;
  private final List<Loop> loops;
  private final Loop loop;
  private final HostOptions options;
  private final QueueOwner owner;
  private final AtomicInteger next = new AtomicInteger();
  private volatile List<HostQueue> queues = List.of();

  HostQueues(HostTransport transport, List<Loop> loops, HostOptions options, QueueOwner owner) {
    this.transport = transport;
    this.loops = loops;
    this.loop = loops.getFirst();
    this.options = options;
    this.owner = owner;
  }

  /** The queue for a channel on {@code on}: one of that loop, if there is one. */
  HostQueue choose(Loop on) {
    List<HostQueue> all = queues;
    Check.that(!all.isEmpty(), "no I/O queues");
    int start = next.getAndIncrement();
    for (int i = 0; i < all.size(); i++) {
      HostQueue queue = all.get(Math.floorMod(start + i, all.size()));
      if (queue.loop() == on) {
        return queue;
      }
    }
    return all.get(Math.floorMod(start, all.size()));
  }

  /** The loops that have a queue of their own. */
  List<Loop> loops() {
    return queues.stream().map(HostQueue::loop).distinct().toList();
  }

  /** Connects every queue to {@code association}; then {@link HostQueue#release} lets commands flow. */
  CompletableFuture<Void> join(Association association) {
    List<HostQueue> existing = queues;
    int wanted = !existing.isEmpty() ? existing.size() : options.queues() > 0 ? options.queues() : loops.size();
    return association.queues(wanted).thenCompose(granted -> {
      if (existing.isEmpty()) {
        return make(granted);
      }
      if (granted < existing.size()) {
        throw new RemoraException(Status.NO_RESOURCES,
            "the controller grants " + granted + " I/O queues, fewer than the " + existing.size() + " before");
      }
      return CompletableFuture.completedFuture(null);
    }).thenCompose(v -> CompletableFuture
        .allOf(queues.stream().map(queue -> join(association, queue)).toArray(CompletableFuture[]::new)));
  }

  private CompletableFuture<Void> make(int count) {
    HostQueue[] made = new HostQueue[count];
    List<CompletableFuture<Void>> each = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int index = i;
      Loop on = loops.get(i % loops.size());
      each.add(on(on, () -> made[index] = new HostQueue(owner, on, index + 1, options)));
    }
    return CompletableFuture.allOf(each.toArray(CompletableFuture[]::new)).thenRun(() -> queues = List.of(made));
  }

  private CompletableFuture<Void> join(Association association, HostQueue queue) {
    ControllerInfo known = association.info();
    // One entry more than commands in flight: a full queue cannot be told from an empty one.
    int most = known.maxCommands() > 0 ? Math.min(known.maxEntries() - 1, known.maxCommands()) : known.maxEntries() - 1;
    int limit = Math.min(options.depth(), most);
    HostTransport.Link link = new HostTransport.Link(options.address(), queue.queueId(), limit + 1, queue.slots(),
        known.inCapsuleBytes(), options.headerDigest(), options.dataDigest());
    QueueConnect parameters = new QueueConnect(association.number(), link, limit + 1, limit,
        association.maxTransferBytes(), known, association.connectData(association.cntlid()));
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

  /** Runs {@code action} for every queue on its loop; done on the first loop. */
  CompletableFuture<Void> each(Consumer<HostQueue> action) {
    return CompletableFuture.allOf(queues.stream().map(queue -> on(queue.loop(), () -> action.accept(queue)))
        .toArray(CompletableFuture[]::new));
  }

  /** Runs {@code action} for every queue on its loop, some time; from the first loop. */
  void tell(Consumer<HostQueue> action) {
    for (HostQueue queue : queues) {
      queue.loop().execute(() -> action.accept(queue));
    }
  }

  /** Whether a command of a queue has not been answered yet. */
  CompletableFuture<Boolean> inFlight(int queueId, int cid) {
    HostQueue queue = queues.get(queueId - 1);
    boolean[] still = new boolean[1];
    return on(queue.loop(), () -> still[0] = queue.command(cid) != null).thenApply(v -> still[0]);
  }

  private CompletableFuture<Void> on(Loop other, Runnable action) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    other.execute(() -> {
      action.run();
      loop.execute(() -> done.complete(null));
    });
    return done;
  }
}
