package io.remora.verbs.example;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.Provider;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One end of an example: a device that is open on a loop, with 64 KiB of registered memory, a completion queue and a queue pair. Its methods are called by the example's own
 * thread, hand the work to the loop and wait: easy to read. A program that wants speed lives on the loop.
 */
public final class Node implements CmId.Handler, AutoCloseable {
  /** The memory of a node. */
  static final int BYTES = 64 << 10;

  private static final long PATIENCE_S = 20;

  private final Loop loop;
  private final Context context;
  private final ProtectionDomain domain;
  private final CompletionQueue completions;
  private final Arena arena;
  private final MemorySegment memory;
  private final MemoryRegion region;
  private final WorkCompletions polled = new WorkCompletions(1);
  private final CompletableFuture<Void> resolved = new CompletableFuture<>();
  private final CompletableFuture<CmId.Established> established = new CompletableFuture<>();
  private @Nullable CmId id;
  private @Nullable QueuePair queuePair;

  Node(Provider provider, String device, Loop loop) {
    this.loop = loop;
    this.context = on(() -> provider.open(loop, device));
    this.domain = on(context::allocateProtectionDomain);
    this.completions = on(() -> context.createCompletionQueue(64, null));
    this.arena = on(loop::newArena);
    this.memory = on(() -> context.allocate(arena, BYTES));
    this.region = on(() -> domain.register(memory, allRights()));
  }

  private int allRights() {
    int rights = Access.LOCAL_WRITE | Access.REMOTE_READ | Access.REMOTE_WRITE;
    rights |= can(Capability.ATOMICS) ? Access.REMOTE_ATOMIC : 0;
    return rights | (can(Capability.MEMORY_WINDOWS) ? Access.WINDOW_BIND : 0);
  }

  /** Whether the device is capable of that. */
  public boolean can(Capability capability) {
    return context.attributes().can(capability);
  }

  /** Its device. */
  public Context context() {
    return context;
  }

  /** Where its memory is registered. */
  public ProtectionDomain domain() {
    return domain;
  }

  /** Its memory, registered with all rights. */
  public MemoryRegion region() {
    return region;
  }

  /** Its memory; to be looked at on the loop: {@link #on}. */
  public MemorySegment memory() {
    return memory;
  }

  /** What it knows of its connection. */
  public CmId.Established connection() {
    return await(established, "the connection");
  }

  void use(CmId connection, QueuePairConfig config) {
    id = connection;
    queuePair = connection.createQueuePair(domain, config);
  }

  QueuePairConfig config() {
    return QueuePairConfig.rc(completions, 16, 16);
  }

  CmId id() {
    return open(id);
  }

  void awaitResolved() {
    await(resolved, "the way to the other node");
  }

  /** Posts a send request. */
  public void post(SendRequest request) {
    ok(on(() -> open(queuePair).postSend(request)));
  }

  /** Posts a receive of {@code length} bytes at {@code offset}. */
  public void receive(long offset, int length) {
    ok(on(() -> open(queuePair).postReceive(new ReceiveRequest().piece(region, offset, length))));
  }

  private static void ok(Status status) {
    if (!status.isOk()) {
      throw new RemoraException(status, "the request was refused: " + status.text());
    }
  }

  /** Waits for one completion, which must be a success. */
  public WorkCompletions completion() {
    long giveUpNs = loop.clock().nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (on(() -> completions.poll(polled)) == 0) {
      if (loop.clock().nanoTime() - giveUpNs > 0) {
        throw new RemoraException(Status.TIMED_OUT, "nothing has completed for " + PATIENCE_S + " s");
      }
    }
    if (!polled.ok(0)) {
      throw new RemoraException(Status.INTERNAL, "a request failed: " + polled.status(0).text());
    }
    return polled;
  }

  /** Puts a text at {@code offset} of its memory. */
  public void put(long offset, String text) {
    on(() -> {
      memory.setString(offset, text);
      return true;
    });
  }

  /** The text at {@code offset} of its memory. */
  public String text(long offset) {
    return on(() -> memory.getString(offset));
  }

  /** Runs {@code task} on the node's loop and waits for it. */
  public <T> T on(Callable<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        done.complete(task.call());
      } catch (Exception e) {
        done.completeExceptionally(e);
      }
    });
    return await(done, "the loop");
  }

  private static <T> T await(CompletableFuture<T> future, String what) {
    try {
      return future.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RemoraException failure) {
        throw failure;
      }
      throw new RemoraException(Status.TIMED_OUT, "waited in vain for " + what + ": " + e.getCause(), e);
    }
  }

  private static <T> T open(@Nullable T part) {
    if (part == null) {
      throw new RemoraException(Status.INTERNAL, "the node is not connected");
    }
    return part;
  }

  @Override
  public void onResolved() {
    resolved.complete(null);
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    established.complete(connection);
  }

  @Override
  public void onFailed(Status reason, String text) {
    RemoraException failure = new RemoraException(reason, "cannot connect: " + text);
    resolved.completeExceptionally(failure);
    established.completeExceptionally(failure);
  }

  @Override
  public void onDisconnected(Status reason, String text) {}

  @Override
  public void close() {
    on(() -> {
      if (queuePair != null) {
        queuePair.close();
      }
      if (id != null) {
        id.close();
      }
      region.close();
      completions.close();
      domain.close();
      context.close();
      arena.close();
      return true;
    });
  }
}
