package io.remora.base.linux;

import io.remora.base.RemoraException;
import io.remora.base.Status;

/** Error numbers of Linux, and what they mean in the house's one vocabulary. */
final class Errno {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int EIO = 5;
  static final int ENXIO = 6;
  static final int EBADF = 9;
  static final int EAGAIN = 11;
  static final int ENOMEM = 12;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int EEXIST = 17;
  static final int ENODEV = 19;
  static final int ENOTDIR = 20;
  static final int EISDIR = 21;
  static final int EINVAL = 22;
  static final int ENFILE = 23;
  static final int EMFILE = 24;
  static final int EFBIG = 27;
  static final int ENOSPC = 28;
  static final int EROFS = 30;
  static final int EPIPE = 32;
  static final int ENAMETOOLONG = 36;
  static final int ENOSYS = 38;
  static final int ELOOP = 40;
  static final int ENODATA = 61;
  static final int ETIME = 62;
  static final int ENOLINK = 67;
  static final int EILSEQ = 84;
  static final int EMSGSIZE = 90;
  static final int EOPNOTSUPP = 95;
  static final int EAFNOSUPPORT = 97;
  static final int EADDRINUSE = 98;
  static final int EADDRNOTAVAIL = 99;
  static final int ENETDOWN = 100;
  static final int ENETUNREACH = 101;
  static final int ECONNABORTED = 103;
  static final int ECONNRESET = 104;
  static final int ENOBUFS = 105;
  static final int ENOTCONN = 107;
  static final int ETIMEDOUT = 110;
  static final int ECONNREFUSED = 111;
  static final int EHOSTDOWN = 112;
  static final int EHOSTUNREACH = 113;
  static final int EINPROGRESS = 115;
  static final int ESTALE = 116;
  static final int EREMOTEIO = 121;
  static final int EDQUOT = 122;
  static final int ECANCELED = 125;

  private Errno() {}

  /** The status of a file operation that failed with {@code errno}. */
  static Status ofFile(int errno) {
    return switch (errno) {
      case EPERM, EACCES -> Status.DENIED;
      case ENOENT, ENOTDIR, ESTALE -> Status.NOT_FOUND;
      case ENXIO, ENODEV -> Status.DISCONNECTED;
      case ENOMEM, ENFILE, EMFILE, ENOBUFS, EAGAIN -> Status.NO_RESOURCES;
      case EBUSY -> Status.BUSY;
      case EEXIST -> Status.EXISTS;
      case EISDIR, EINVAL, ENAMETOOLONG, ELOOP -> Status.INVALID;
      case EFBIG -> Status.OUT_OF_RANGE;
      case ENOSPC, EDQUOT -> Status.NO_SPACE;
      case EROFS -> Status.READ_ONLY;
      case ENOSYS, EOPNOTSUPP -> Status.UNSUPPORTED;
      case ETIMEDOUT, ETIME -> Status.TIMED_OUT;
      case ECANCELED -> Status.ABORTED;
      case EBADF -> Status.INTERNAL;
      // EIO, ENODATA (no data at a bad sector), EREMOTEIO, EILSEQ (protection) and what nobody has heard of.
      default -> Status.MEDIUM_ERROR;
    };
  }

  /** The status of a socket operation that failed with {@code errno}. */
  static Status ofSocket(int errno) {
    return switch (errno) {
      case EADDRINUSE -> Status.EXISTS;
      case EPERM, EACCES -> Status.DENIED;
      case EADDRNOTAVAIL, EINVAL, EAFNOSUPPORT -> Status.INVALID;
      case ENOMEM, ENFILE, EMFILE, ENOBUFS, EAGAIN -> Status.NO_RESOURCES;
      case ETIMEDOUT -> Status.TIMED_OUT;
      case EOPNOTSUPP, ENOSYS -> Status.UNSUPPORTED;
      default -> Status.DISCONNECTED;
    };
  }

  /** A few words for people, with the number. */
  static String text(int errno) {
    String words = switch (errno) {
      case EPERM -> "operation not permitted";
      case ENOENT -> "no such file or directory";
      case EIO -> "input/output error";
      case ENXIO, ENODEV -> "no such device";
      case ENOMEM -> "out of memory";
      case EACCES -> "permission denied";
      case EBUSY -> "device or resource busy";
      case EEXIST -> "file exists";
      case ENOTDIR -> "not a directory";
      case EISDIR -> "is a directory";
      case EINVAL -> "invalid argument";
      case ENFILE, EMFILE -> "too many open files, see ulimit -n";
      case EFBIG -> "file too large";
      case ENOSPC -> "no space left on device";
      case EDQUOT -> "disk quota exceeded";
      case EROFS -> "read-only file system";
      case EPIPE -> "broken pipe";
      case ENOSYS -> "function not implemented by this kernel";
      case EOPNOTSUPP -> "operation not supported";
      case EAFNOSUPPORT -> "address family not supported";
      case EADDRINUSE -> "address already in use";
      case EADDRNOTAVAIL -> "address is none of this machine's";
      case ENETDOWN, ENETUNREACH -> "network unreachable";
      case ECONNABORTED -> "connection aborted";
      case ECONNRESET -> "connection reset by peer";
      case ETIMEDOUT -> "timed out";
      case ECONNREFUSED -> "connection refused";
      case EHOSTDOWN, EHOSTUNREACH -> "host unreachable";
      default -> "error";
    };
    return words + " (errno " + errno + ")";
  }

  /** A failed file operation: {@code what} names the operation and the path. */
  static RemoraException file(String what, int errno) {
    return new RemoraException(ofFile(errno), what + ": " + text(errno));
  }

  /** A failed socket operation: {@code what} names the operation and the address. */
  static RemoraException socket(String what, int errno) {
    return new RemoraException(ofSocket(errno), what + ": " + text(errno));
  }
}
