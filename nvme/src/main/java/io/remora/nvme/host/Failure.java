package io.remora.nvme.host;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.concurrent.CompletionException;

/**
 * Why a control operation failed, taken out of the wrappers that futures put around it. Immutable.
 *
 * @param status as a status
 * @param text for people, never empty
 * @param cause what was thrown
 */
public record Failure(Status status, String text, Throwable cause) {
  /** Of what a future ended with. */
  public static Failure of(Throwable thrown) {
    Throwable cause = thrown;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    Status status = cause instanceof RemoraException e ? e.status() : Status.INTERNAL;
    String message = cause.getMessage();
    return new Failure(status, message == null ? cause.toString() : message, cause);
  }
}
