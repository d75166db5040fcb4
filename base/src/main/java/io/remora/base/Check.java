package io.remora.base;

/** Checks that stay on in production: metadata, formats, protocol state. In inner loops use {@code assert}. */
public final class Check {
  private Check() {}

  /** Throws {@link Status#INTERNAL} with {@code message} unless {@code holds}: a fault of ours. */
  public static void that(boolean holds, String message) {
    if (!holds) {
      throw new RemoraException(Status.INTERNAL, message);
    }
  }

  /** As {@link #that(boolean, String)}, with a message formatted only when it is needed. */
  public static void that(boolean holds, String format, Object... args) {
    if (!holds) {
      throw new RemoraException(Status.INTERNAL, format.formatted(args));
    }
  }

  /** Throws {@link Status#INVALID} with {@code message} unless {@code holds}: a fault of the caller's. */
  public static void argument(boolean holds, String format, Object... args) {
    if (!holds) {
      throw new RemoraException(Status.INVALID, format.formatted(args));
    }
  }
}
