package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import org.jspecify.annotations.Nullable;

/** A request on its way through one {@link HostQueue}: how far it has been turned into commands. Reused by the queue. */
final class HostIo {
  @Nullable
  IoRequest request;
  @Nullable
  HostNamespace namespace;
  /** The bytes for which commands were made. */
  long issuedBytes;
  /** Commands without an answer. */
  int outstanding;
  /** No further commands are to be made of it. */
  boolean issued;
  /** What it will complete with. */
  Status status = Status.OK;
  /** In a list of the queue. */
  @Nullable
  HostIo next;

  void begin(IoRequest newRequest, HostNamespace newNamespace) {
    request = newRequest;
    namespace = newNamespace;
    issuedBytes = 0;
    outstanding = 0;
    issued = false;
    status = Status.OK;
    next = null;
  }

  /** Whether it changes data. */
  static boolean changes(IoRequest.Op op) {
    return switch (op) {
      case WRITE, WRITE_ZEROES, DEALLOCATE -> true;
      case READ, FLUSH, COMPARE -> false;
    };
  }
}
