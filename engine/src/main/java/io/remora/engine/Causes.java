package io.remora.engine;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** Failures of futures without what futures wrap around them. */
final class Causes {
  private Causes() {}

  /** The failure as one of ours; what is none is a fault of the program's and stays in the cause. */
  static RemoraException remora(Throwable failure) {
    Throwable cause = of(failure);
    return cause instanceof RemoraException known
        ? known
        : new RemoraException(Status.INTERNAL, "the node failed: " + cause, cause);
  }

  static Throwable of(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException || cause instanceof ExecutionException) {
      Throwable inner = cause.getCause();
      if (inner == null) {
        return cause;
      }
      cause = inner;
    }
    return cause;
  }
}
