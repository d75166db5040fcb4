package io.remora.verbs.ibverbs;

import io.remora.base.RemoraException;
import io.remora.base.Status;

/** Error numbers of Linux as the RDMA libraries use them. */
final class NativeErrors {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EAGAIN = 11;
  static final int ENOMEM = 12;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int ENODEV = 19;
  static final int EINVAL = 22;
  static final int EMFILE = 24;
  static final int ENOSPC = 28;
  static final int ENOSYS = 38;
  static final int EPROTONOSUPPORT = 93;
  static final int EOPNOTSUPP = 95;
  static final int EADDRINUSE = 98;
  static final int EADDRNOTAVAIL = 99;
  static final int ENETUNREACH = 101;
  static final int ECONNRESET = 104;
  static final int ENOBUFS = 105;
  static final int ETIMEDOUT = 110;
  static final int ECONNREFUSED = 111;
  static final int EHOSTUNREACH = 113;

  private NativeErrors() {}

  /** The status of a control operation that failed with {@code errno}, a positive number. */
  static Status status(int errno) {
    return switch (errno) {
      case EPERM, EACCES -> Status.DENIED;
      case ENOENT, ENODEV -> Status.NOT_FOUND;
      case ENOMEM, EAGAIN, EMFILE, ENOSPC, ENOBUFS -> Status.NO_RESOURCES;
      case EBUSY -> Status.BUSY;
      case EADDRINUSE -> Status.EXISTS;
      case EINVAL, EADDRNOTAVAIL -> Status.INVALID;
      case ENOSYS, EOPNOTSUPP, EPROTONOSUPPORT -> Status.UNSUPPORTED;
      case ETIMEDOUT -> Status.TIMED_OUT;
      case ENETUNREACH, EHOSTUNREACH, ECONNRESET, ECONNREFUSED -> Status.DISCONNECTED;
      default -> Status.INTERNAL;
    };
  }

  /** A few words for people, with the number. */
  static String text(int errno) {
    String words = switch (errno) {
      case EPERM -> "operation not permitted";
      case ENOENT -> "no such file";
      case EAGAIN -> "try again";
      case ENOMEM -> "out of memory, or of memory that may be locked (ulimit -l)";
      case EACCES -> "permission denied";
      case EBUSY -> "device or resource busy";
      case ENODEV -> "no such device";
      case EINVAL -> "invalid argument";
      case EMFILE -> "too many open files, see ulimit -n";
      case ENOSPC -> "the device has no room for more";
      case ENOSYS, EOPNOTSUPP, EPROTONOSUPPORT -> "not supported by the device";
      case EADDRINUSE -> "address already in use";
      case EADDRNOTAVAIL -> "address is not an RDMA device's";
      case ENETUNREACH, EHOSTUNREACH -> "no way there";
      case ECONNRESET -> "connection reset by peer";
      case ENOBUFS -> "no buffers";
      case ETIMEDOUT -> "timed out";
      case ECONNREFUSED -> "nobody listens there";
      default -> "error";
    };
    return words + " (errno " + errno + ")";
  }

  /** Gives back {@code result}, or throws with {@code what} when it is a negated error number. */
  static long check(long result, String what) {
    if (result < 0) {
      throw of((int) -result, what);
    }
    return result;
  }

  static RemoraException of(int errno, String what) {
    return new RemoraException(status(errno), what + ": " + text(errno));
  }
}
