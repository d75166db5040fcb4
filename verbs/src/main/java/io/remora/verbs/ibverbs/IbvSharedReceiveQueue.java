package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.base.Status;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SharedReceiveQueue;
import io.remora.verbs.soft.Children;
import java.lang.foreign.Arena;

/** A shared receive queue of the device. Belongs to its protection domain's loop. */
final class IbvSharedReceiveQueue implements SharedReceiveQueue {
  private static final String KIND = "shared receive queue";
  private static final int MASK_LIMIT = 2;

  private final IbvProtectionDomain domain;
  private final OpenDevice device;
  private final Children users = new Children();
  private final long queue;
  private final ReceiveWriter writer;
  private boolean open = true;

  IbvSharedReceiveQueue(IbvProtectionDomain domain, int maxRequests, int maxPieces) {
    this.domain = domain;
    this.device = domain.context().device();
    try (Arena arena = Arena.ofConfined()) {
      long wanted = arena.allocate(SharedReceiveLayout.BYTES, 8).address();
      Memory.putInt(wanted + SharedReceiveLayout.ATTRIBUTES + SharedReceiveLayout.MAX_REQUESTS, maxRequests);
      Memory.putInt(wanted + SharedReceiveLayout.ATTRIBUTES + SharedReceiveLayout.MAX_PIECES, Math.max(1, maxPieces));
      this.queue = NativeErrors.check(device.libraries.verbs().createSrq.call(domain.address(), wanted),
          device.what("a shared receive queue of " + maxRequests + " receives"));
    }
    this.writer = new ReceiveWriter(domain, maxPieces);
    device.events.add(queue, domain.context(), null);
    domain.children().opened(KIND);
  }

  IbvProtectionDomain domain() {
    return domain;
  }

  /** The native queue. */
  long address() {
    return queue;
  }

  /** The queue pairs that take their receives here. */
  Children users() {
    return users;
  }

  boolean isOpen() {
    return open;
  }

  @Override
  public Status postReceive(ReceiveRequest request) {
    assert domain.context().loop().inLoop();
    if (!open || !writer.write(request)) {
      return Status.INVALID;
    }
    return PostResult.status(device.path.postSrqRecv(queue, writer.request(), writer.refused()));
  }

  @Override
  public void limit(int receives) {
    Check.argument(receives >= 0, "a limit of %d receives", receives);
    try (Arena arena = Arena.ofConfined()) {
      long wanted = arena.allocate(SharedReceiveLayout.BYTES, 8).address();
      Memory.putInt(wanted + SharedReceiveLayout.LIMIT, receives);
      NativeErrors.check(device.libraries.verbs().modifySrq.call(queue, wanted, MASK_LIMIT),
          device.what("a limit of " + receives + " receives"));
    }
  }

  @Override
  public void close() {
    if (open) {
      users.none(device.what(KIND));
      NativeErrors.check(device.libraries.verbs().destroySrq.call(queue), device.what("close a " + KIND));
      open = false;
      device.events.remove(queue);
      domain.children().closed(KIND);
      writer.close();
    }
  }
}
