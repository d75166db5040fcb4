package io.remora.nvme.host;

import io.remora.base.BufferPool;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;

/** Checks requests to one namespace and hands them to the I/O queue of its loop. */
final class HostChannel implements BlockChannel {
  private final HostNamespace namespace;
  private final HostQueue queue;
  private boolean closed;

  HostChannel(HostNamespace namespace, HostQueue queue) {
    this.namespace = namespace;
    this.queue = queue;
  }

  @Override
  public BlockDevice device() {
    return namespace;
  }

  @Override
  public Loop loop() {
    return queue.loop();
  }

  @Override
  public void submit(IoRequest request) {
    request.begin();
    Status status = check(request);
    if (status.isOk() && !done(request)) {
      queue.submit(request, namespace);
    } else {
      queue.reject(request, status);
    }
  }

  private Status check(IoRequest request) {
    if (closed) {
      return Status.ABORTED;
    }
    if (namespace.removed()) {
      return Status.NOT_FOUND;
    }
    if (request.op == IoRequest.Op.FLUSH) {
      return Status.OK;
    }
    long mask = namespace.blockSize() - 1L;
    boolean aligned = request.offset >= 0 && request.length >= 0 && ((request.offset | request.length) & mask) == 0;
    if (!aligned || (request.hasData() && request.sgl.totalBytes() != request.length)) {
      return Status.INVALID;
    }
    if (request.offset > namespace.sizeBytes() - request.length) {
      return Status.OUT_OF_RANGE;
    }
    if (namespace.readOnly() && HostIo.changes(request.op)) {
      return Status.READ_ONLY;
    }
    return request.op == IoRequest.Op.COMPARE && !namespace.controller().info().hasCompare()
        ? Status.UNSUPPORTED
        : Status.OK;
  }

  /** Whether there is nothing to do. */
  private boolean done(IoRequest request) {
    return switch (request.op) {
      case FLUSH -> false;
      case DEALLOCATE -> request.length == 0 || !namespace.canDeallocate();
      case READ, WRITE, WRITE_ZEROES, COMPARE -> request.length == 0;
    };
  }

  @Override
  public void use(BufferPool pool) {
    namespace.controller().transport().use(loop(), pool);
  }

  @Override
  public void forget(BufferPool pool) {
    namespace.controller().transport().forget(loop(), pool);
  }

  @Override
  public void close() {
    closed = true;
  }
}
