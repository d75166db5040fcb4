package io.remora.cli;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Waiting, on a thread that may block, for what loops do. */
final class Futures {
  private static final long LIMIT_S = 120;

  private Futures() {}

  /** Waits for {@code future}; its failure comes as a {@link RemoraException}. */
  static <T> T join(CompletableFuture<T> future) {
    try {
      return future.get(LIMIT_S, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof RemoraException known) {
        throw new RemoraException(known.status(), known.getMessage(), known);
      }
      throw new RemoraException(Status.INTERNAL, String.valueOf(cause), e);
    } catch (TimeoutException e) {
      throw new RemoraException(Status.TIMED_OUT, "no answer within " + LIMIT_S + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RemoraException(Status.ABORTED, "interrupted", e);
    }
  }

  /** As {@link #join}, for work that takes as long as it takes and shows how far it is. */
  static <T> T await(CompletableFuture<T> future) {
    CompletableFuture.allOf(future).exceptionally(failure -> null).join();
    return join(future);
  }

  /** Runs {@code task} on {@code loop} and waits for its result. */
  static <T> T on(Loop loop, Supplier<T> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        result.complete(task.get());
      } catch (RuntimeException e) {
        result.completeExceptionally(e);
      }
    });
    return join(result);
  }
}
