package io.remora.verbs.ibverbs;

import io.remora.base.Status;

/** What posting gives. */
final class PostResult {
  private PostResult() {}

  /** In the terms of the interface; some drivers negate the error number. */
  static Status status(int result) {
    return switch (Math.abs(result)) {
      case 0 -> Status.OK;
      case NativeErrors.ENOMEM, NativeErrors.ENOSPC, NativeErrors.ENOBUFS, NativeErrors.EAGAIN -> Status.NO_RESOURCES;
      case NativeErrors.EOPNOTSUPP, NativeErrors.ENOSYS -> Status.UNSUPPORTED;
      default -> Status.INVALID;
    };
  }
}
