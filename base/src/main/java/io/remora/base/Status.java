package io.remora.base;

/**
 * How an operation ended: the one vocabulary of the floors {@code base} and {@code block}. Protocol floors translate it to
 * their own codes in one table each (NVMe status, errno).
 *
 * <p>The data path returns a status and never throws.
 */
public enum Status {
  /** Done; for a write, as durable as the operation promises. */
  OK(Category.NONE, "success"),
  /** A field of the request is not valid: alignment, unknown value, a combination that means nothing. */
  INVALID(Category.CALLER, "invalid request"),
  /** Offset and length reach past the end of the device. */
  OUT_OF_RANGE(Category.CALLER, "outside the device"),
  /** This device, file system or peer cannot do that at all. */
  UNSUPPORTED(Category.CALLER, "not supported"),
  /** No object of that name or address. */
  NOT_FOUND(Category.CALLER, "not found"),
  /** The name or address is taken. */
  EXISTS(Category.CALLER, "exists already"),
  /** In use by somebody else; may end. */
  BUSY(Category.RETRY, "busy"),
  /** The peer or the caller may not do that. */
  DENIED(Category.CALLER, "not allowed"),
  /** Compare found other data. Nothing was changed. */
  MISCOMPARE(Category.CALLER, "data does not compare"),
  /** No space is left on the pool, disk or file system. Nothing else was harmed. */
  NO_SPACE(Category.OPERATOR, "no space left"),
  /** The device or volume takes no writes. */
  READ_ONLY(Category.CALLER, "write protected"),
  /** The medium failed to read or write. */
  MEDIUM_ERROR(Category.OPERATOR, "medium error"),
  /** A checksum does not hold: what was stored or sent is not what arrived. */
  CORRUPT(Category.OPERATOR, "checksum mismatch"),
  /** The connection or path to the device is gone; whether the operation took place is unknown. */
  DISCONNECTED(Category.RETRY, "connection lost"),
  /** The peer or medium did not answer in time; whether the operation took place is unknown. */
  TIMED_OUT(Category.RETRY, "timed out"),
  /** A bound on memory or outstanding work is reached. */
  NO_RESOURCES(Category.RETRY, "out of resources"),
  /** The owner cancelled the operation or closed the object; whether the operation took place is unknown. */
  ABORTED(Category.RETRY, "aborted"),
  /** The peer broke the protocol. */
  PROTOCOL_ERROR(Category.BUG, "protocol error"),
  /** Our own fault. */
  INTERNAL(Category.BUG, "internal error");

  /** Who can do something about it. */
  public enum Category {
    /** Nothing to do. */
    NONE,
    /** The same request may succeed later. */
    RETRY,
    /** The request has to change. */
    CALLER,
    /** A person has to act: replace a disk, add space. */
    OPERATOR,
    /** A programming error here or in the peer. */
    BUG
  }

  private final Category category;
  private final String text;

  Status(Category category, String text) {
    this.category = category;
    this.text = text;
  }

  /** Who can do something about it. */
  public Category category() {
    return category;
  }

  /** A few lower-case words for people. */
  public String text() {
    return text;
  }

  /** True for {@link #OK} only. */
  public boolean isOk() {
    return this == OK;
  }
}
