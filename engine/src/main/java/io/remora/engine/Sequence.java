package io.remora.engine;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs asynchronous operations one after another, in the order in which they came: so each sees what the one before has done, and no
 * two change the node's state at once. Belongs to the node's control loop.
 */
final class Sequence {
  private static final int MAX_WAITING = 1024;

  private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
  private boolean busy;
  private @Nullable String closed;

  /**
   * Runs {@code operation} when all earlier ones have ended. Fails with {@link Status#BUSY} when too many wait, with {@link
   * Status#ABORTED} after {@link #close}.
   */
  <T> CompletableFuture<T> run(Supplier<CompletableFuture<T>> operation) {
    String reason = closed;
    if (reason != null) {
      return CompletableFuture.failedFuture(new RemoraException(Status.ABORTED, reason));
    }
    if (waiting.size() >= MAX_WAITING) {
      return CompletableFuture.failedFuture(
          new RemoraException(Status.BUSY, MAX_WAITING + " commands wait already: try again later"));
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    waiting.add(() -> begin(operation, result));
    next();
    return result;
  }

  /** Refuses further operations with {@code reason}; those that wait still run. */
  void close(String reason) {
    closed = reason;
  }

  private void next() {
    if (!busy) {
      Runnable first = waiting.poll();
      if (first != null) {
        busy = true;
        first.run();
      }
    }
  }

  private <T> void begin(Supplier<CompletableFuture<T>> operation, CompletableFuture<T> result) {
    CompletableFuture<T> running;
    try {
      running = operation.get();
    } catch (RemoraException e) {
      running = CompletableFuture.failedFuture(e);
    }
    running.whenComplete((value, failure) -> {
      busy = false;
      if (failure == null) {
        result.complete(value);
      } else {
        result.completeExceptionally(failure);
      }
      next();
    });
  }
}
