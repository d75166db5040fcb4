package io.remora.verbs;

/** How a work request ended; numbers of {@code ibv_wc_status}. Any but {@link #SUCCESS} brings the queue pair into the error state. */
public enum WorkStatus {
  SUCCESS(0, "success"),
  /** A message is longer than the memory of the receive, or of the request. */
  LOCAL_LENGTH_ERROR(1, "local length error"),
  /** This end's queue pair is at fault. */
  LOCAL_OPERATION_ERROR(2, "local operation error"),
  /** A piece of this end's memory is not registered, closed, or not for this use. */
  LOCAL_PROTECTION_ERROR(4, "local protection error"),
  /** The queue pair had failed before: not carried out, or not known whether. */
  FLUSH_ERROR(5, "flushed"),
  /** A window could not be bound. */
  BIND_ERROR(6, "memory window bind error"),
  /** The peer answered what makes no sense. */
  BAD_RESPONSE(7, "bad response"),
  /** The peer wrote, by write with immediate data, where it may not. */
  LOCAL_ACCESS_ERROR(8, "local access error"),
  /** The peer calls the request invalid: too long for its receive, not supported. */
  REMOTE_INVALID_REQUEST(9, "remote invalid request"),
  /** A key, range or right of the peer's memory does not hold. */
  REMOTE_ACCESS_ERROR(10, "remote access error"),
  /** The peer could not carry it out. */
  REMOTE_OPERATION_ERROR(11, "remote operation error"),
  /** The peer does not answer. */
  RETRY_EXCEEDED(12, "retries exceeded"),
  /** The peer has posted no receive for too long. */
  RECEIVER_NOT_READY_EXCEEDED(13, "receiver not ready, retries exceeded"),
  /** The device has failed. */
  FATAL(19, "fatal error"),
  /** The device gave no answer. */
  RESPONSE_TIMEOUT(20, "response timeout"),
  /** Anything else; see the vendor's number. */
  GENERAL_ERROR(21, "general error");

  private final int code;
  private final String text;

  WorkStatus(int code, String text) {
    this.code = code;
    this.text = text;
  }

  /** The number that libibverbs gives it. */
  public int code() {
    return code;
  }

  /** For people. */
  public String text() {
    return text;
  }

  /** The status of that number; {@link #GENERAL_ERROR} for one that is not carried. */
  public static WorkStatus of(int code) {
    return code >= 0 && code < Codes.BY_CODE.length ? Codes.BY_CODE[code] : GENERAL_ERROR;
  }

  private static final class Codes {
    static final WorkStatus[] BY_CODE = new WorkStatus[22];

    static {
      java.util.Arrays.fill(BY_CODE, GENERAL_ERROR);
      for (WorkStatus status : values()) {
        BY_CODE[status.code] = status;
      }
    }
  }
}
