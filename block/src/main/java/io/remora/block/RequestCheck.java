package io.remora.block;

import io.remora.base.IoRequest;
import io.remora.base.Status;

/** The checks that every channel makes before it does anything. Stateless. */
public final class RequestCheck {
  private RequestCheck() {}

  /** {@link Status#OK} when {@code request} fits {@code device}, else what is wrong with it. */
  public static Status of(IoRequest request, BlockDevice device) {
    if (request.op == IoRequest.Op.FLUSH) {
      return Status.OK;
    }
    Status status = range(request, device.blockSize(), device.sizeBytes());
    if (status.isOk() && changes(request.op) && device.readOnly()) {
      return Status.READ_ONLY;
    }
    return status;
  }

  /** Alignment, list and range of any operation but FLUSH. */
  public static Status range(IoRequest request, int blockSize, long sizeBytes) {
    long offset = request.offset;
    long length = request.length;
    if (offset < 0 || length < 0 || ((offset | length) & (blockSize - 1)) != 0) {
      return Status.INVALID;
    }
    if (request.hasData() && request.sgl.totalBytes() != length) {
      return Status.INVALID;
    }
    return length > sizeBytes || offset > sizeBytes - length ? Status.OUT_OF_RANGE : Status.OK;
  }

  /** Whether {@code op} changes what a device holds. */
  public static boolean changes(IoRequest.Op op) {
    return switch (op) {
      case WRITE, WRITE_ZEROES, DEALLOCATE -> true;
      case READ, FLUSH, COMPARE -> false;
    };
  }
}
