package io.remora.base;

/**
 * The one exception of control operations. Its message says what failed, where, and what to do; its status says who can
 * act. Never thrown on the data path.
 */
public class RemoraException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final Status status;

  /** A failure without a cause of its own. */
  public RemoraException(Status status, String message) {
    super(message);
    this.status = status;
  }

  /** A failure with the failure below it. */
  public RemoraException(Status status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  @Override
  public String getMessage() {
    return String.valueOf(super.getMessage());
  }

  /** Why it failed. */
  public Status status() {
    return status;
  }
}
