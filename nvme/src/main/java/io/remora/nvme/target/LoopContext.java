package io.remora.nvme.target;

import io.remora.base.BufferPool;
import io.remora.base.Crc32c;
import io.remora.base.Loop;
import io.remora.base.Timer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * What a target has on one loop, to which it belongs: I/O memory, namespaces, queue pairs. For transports.
 *
 * <p>The memory is divided by who decides when it comes back. {@link #transfers} may be held for as long as a peer likes: it waits for the
 * peer's data, or for the peer to take ours. {@link #capsules} is held only while a device works. A connection that waits for the
 * latter reads nothing more, not even data that commands holding the former wait for; were they one, connections could wait
 * for each other for ever.
 */
public final class LoopContext {
  private static final long ARENA_BYTES = 8L << 20;
  private static final long TELL_AGAIN_NS = 60_000_000_000L;

  private final Target target;
  private final Loop loop;
  private final BufferPool pool;
  private final BufferPool.Owner transfers;
  private final long transferBytes;
  private final BufferPool.Owner capsules;
  private final BufferPool.Owner connections;
  private final Crc32c crc = new Crc32c();
  private final Map<Subsystem, NamespaceTable> tables = new HashMap<>();
  private final List<QueuePair> queues = new ArrayList<>();
  /** Connections that have not come to Connect, the oldest first. */
  private final LinkedHashSet<Transport> newcomers = new LinkedHashSet<>();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final Timer drainLimit;
  private boolean turnedAway;
  private long turnedAwayNs;
  private boolean draining;
  private boolean closing;
  private boolean freed;
  private final List<Runnable> beforeFree = new ArrayList<>();

  LoopContext(Target target, Loop loop) {
    this.target = target;
    this.loop = loop;
    this.drainLimit = loop.timer(() -> drained.complete(null));
    long bytes = target.config().memoryPerLoopBytes() / ARENA_BYTES * ARENA_BYTES;
    this.pool = new BufferPool(loop, ARENA_BYTES, bytes);
    this.transferBytes = bytes / 8 * 5;
    this.transfers = pool.owner("transfers", transferBytes);
    this.capsules = pool.owner("capsules", bytes / 8 * 2);
    this.connections = pool.owner("connections", bytes / 8);
  }

  /** The loop. */
  public Loop loop() {
    return loop;
  }

  /** The target. */
  public Target target() {
    return target;
  }

  /** The memory. */
  public BufferPool pool() {
    return pool;
  }

  /** Memory of connections themselves, for as long as they live; who cannot have it is turned away. */
  public BufferPool.Owner connections() {
    return connections;
  }

  /** A connection was turned away for want of memory; true when that is to be told: whoever causes it shall not fill logs with it. */
  public boolean turnAway() {
    long nowNs = loop.clock().nanoTime();
    if (turnedAway && nowNs - turnedAwayNs < TELL_AGAIN_NS) {
      return false;
    }
    turnedAway = true;
    turnedAwayNs = nowNs;
    return true;
  }

  /** For digests computed in one go. */
  public Crc32c crc() {
    return crc;
  }

  BufferPool.Owner transfers() {
    return transfers;
  }

  /**
   * How much of {@link #transfers} is not taken, in bytes. Who takes no more for itself than it leaves to others leaves something even if
   * all are greedy and none gives anything back.
   */
  long freeTransferBytes() {
    return transferBytes - transfers.usedBytes();
  }

  /** Whether a connection waits for memory that others have. Looks at all of them. */
  public boolean memoryIsShort() {
    for (QueuePair queue : queues) {
      if (queue.waitsForMemory()) {
        return true;
      }
    }
    return false;
  }

  /** A connection has come, which must come to Connect; when there are too many of those, the oldest ends. */
  public void newcomer(Transport transport) {
    if (newcomers.size() >= target.config().limits().newcomersPerLoop()) {
      newcomers.getFirst().drop("others want to connect, and this one does not");
    }
    newcomers.add(transport);
  }

  /** It has come to Connect, or has ended. */
  public void notNew(Transport transport) {
    newcomers.remove(transport);
  }

  BufferPool.Owner capsules() {
    return capsules;
  }

  /** The namespaces of {@code subsystem} on this loop. */
  NamespaceTable table(Subsystem subsystem) {
    return tables.computeIfAbsent(subsystem, s -> new NamespaceTable(s, loop));
  }

  /** Enters a queue pair; false when the target closes. */
  boolean enter(QueuePair queue) {
    if (open()) {
      queues.add(queue);
      return true;
    }
    return false;
  }

  void leave(QueuePair queue) {
    queues.remove(queue);
    tellDrained();
    freeIfEmpty();
  }

  /** Whether connections are let in. */
  public boolean open() {
    return !closing && !draining;
  }

  /** Lets no connection in any more. */
  void enterNobody() {
    draining = true;
  }

  /** Ends the I/O queues when their commands have been answered, or the time is up. From any thread; completes on the loop. */
  CompletableFuture<Void> drain(long limitNs) {
    loop.execute(() -> {
      enterNobody();
      drainLimit.arm(limitNs);
      for (QueuePair queue : List.copyOf(queues)) {
        queue.drain("the target shuts down");
      }
      tellDrained();
    });
    return drained;
  }

  private void tellDrained() {
    if (draining && drainLimit.armed() && queues.stream().allMatch(queue -> queue.live() && queue.id() == 0)) {
      drainLimit.cancel();
      drained.complete(null);
    }
  }

  /** Has {@code claim} wait for the writes in its range that are with a device. */
  void drainWrites(Namespace namespace, RangeClaim claim) {
    for (QueuePair queue : queues) {
      for (Command c : queue.slots()) {
        NamespaceChannel of = c.namespace;
        if (c.writing && c.carriedOut() && of != null && of.namespace == namespace
            && IoCommands.touches(c, claim)) {
          c.awaitedBy = claim;
          claim.waitForOneMore();
        }
      }
    }
    claim.oneLess();
  }

  /** Has writes that wait for the gate of {@code namespace} try again. */
  void resumeWrites(Namespace namespace) {
    for (NamespaceTable table : tables.values()) {
      table.resumeWrites(namespace);
    }
  }

  /** Lets a namespace go. From any thread; completes on the loop. */
  CompletableFuture<Void> release(Subsystem subsystem, Namespace namespace) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      NamespaceTable table = tables.get(subsystem);
      if (table == null) {
        done.complete(null);
      } else {
        table.release(namespace, () -> done.complete(null));
      }
    });
    return done;
  }

  /** Has {@code task} run when all connections have ended, before the memory goes: for what transports have on the loop. */
  public void beforeFree(Runnable task) {
    beforeFree.add(task);
  }

  /** What was given to {@link #beforeFree} has happened. */
  public void notBeforeFree(Runnable task) {
    beforeFree.remove(task);
  }

  /** Drops all connections and gives back the memory. From any thread; completes on the loop. */
  CompletableFuture<Void> close() {
    loop.execute(() -> {
      closing = true;
      for (QueuePair queue : List.copyOf(queues)) {
        queue.terminate("the target closes");
      }
      freeIfEmpty();
    });
    return closed;
  }

  private void freeIfEmpty() {
    if (!closing || freed || !queues.isEmpty()) {
      return;
    }
    freed = true;
    for (NamespaceTable table : tables.values()) {
      table.close(() -> {});
    }
    beforeFree.forEach(Runnable::run);
    pool.close();
    closed.complete(null);
  }
}
