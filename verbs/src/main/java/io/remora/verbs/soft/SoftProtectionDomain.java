package io.remora.verbs.soft;

import io.remora.base.Check;
import io.remora.verbs.Access;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.Capability;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.SharedReceiveQueue;
import io.remora.verbs.WorkRequest;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** A protection domain in software. Belongs to its context's loop. */
public class SoftProtectionDomain implements ProtectionDomain {
  private final SoftContext context;
  private final Children children = new Children();
  private final SoftMemoryRegion reserved;
  private boolean closed;

  /** For {@link SoftContext#newProtectionDomain}. */
  protected SoftProtectionDomain(SoftContext context) {
    this.context = context;
    this.reserved = new SoftMemoryRegion(this);
    context.opened("protection domain");
  }

  @Override
  public SoftContext context() {
    return context;
  }

  final void opened(String kind) {
    Check.that(!closed, "the protection domain is closed");
    children.opened(kind);
  }

  final void closed(String kind) {
    children.closed(kind);
  }

  /** Whether the pieces of {@code request} are memory of this domain, with the rights of {@code access}. */
  final boolean permits(WorkRequest request, int access) {
    for (int i = 0; i < request.pieces(); i++) {
      if (!(request.region(i) instanceof SoftMemoryRegion region && region.domain() == this
          && region.permits(request.offset(i), request.length(i), access))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public MemoryRegion register(MemorySegment memory, int access) {
    Check.argument(memory.isNative() && memory.byteSize() > 0,
        "memory of %d bytes: register native memory of at least 1 byte",
        memory.byteSize());
    Check.argument(Access.valid(access), "access %s: remote writing and atomics need local-write", Access.text(access));
    if ((access & Access.REMOTE_ATOMIC) != 0) {
      context.require(Capability.ATOMICS, "remote-atomic access");
    }
    if ((access & Access.WINDOW_BIND) != 0) {
      context.require(Capability.MEMORY_WINDOWS, "window-bind access");
    }
    return newRegion(memory, access);
  }

  /** Registers; what the arguments mean has been checked. For providers that need to know the memory. */
  protected SoftMemoryRegion newRegion(MemorySegment memory, int access) {
    return new SoftMemoryRegion(this, memory, access);
  }

  @Override
  public MemoryRegion reservedRegion() {
    context.require(Capability.RESERVED_LKEY, "memory that is not registered");
    return reserved;
  }

  @Override
  public MemoryWindow allocateMemoryWindow() {
    context.require(Capability.MEMORY_WINDOWS, "a memory window");
    return newWindow();
  }

  /** A window; for providers that need to know when it is bound. */
  protected SoftMemoryWindow newWindow() {
    return new SoftMemoryWindow(this);
  }

  @Override
  public QueuePair createQueuePair(QueuePairConfig config) {
    context.require(Capability.MANUAL_CONNECTION, "a queue pair without the connection manager");
    context.check(config);
    return context.newQueuePair(this, config);
  }

  @Override
  public SharedReceiveQueue createSharedReceiveQueue(int maxRequests, int maxPieces) {
    context.require(Capability.SHARED_RECEIVE_QUEUE, "a shared receive queue");
    Check.argument(maxRequests >= 1 && maxRequests <= context.attributes().maxWorkRequests(), "%d receives: 1 to %d",
        maxRequests,
        context.attributes().maxWorkRequests());
    Check.argument(maxPieces >= 0 && maxPieces <= context.attributes().maxPieces(), "%d pieces: 0 to %d", maxPieces,
        context.attributes().maxPieces());
    return new SoftSharedReceiveQueue(this, maxRequests, Math.min(maxPieces, WorkRequest.MAX_PIECES));
  }

  @Override
  public AddressHandle createAddressHandle(InetSocketAddress destination) {
    context.require(Capability.UD, "an address handle");
    return context.newAddressHandle(this, destination);
  }

  @Override
  public void close() {
    if (!closed) {
      children.none("protection domain");
      closed = true;
      context.closed("protection domain");
      onClosed();
    }
  }

  /** It is closed. For providers. */
  protected void onClosed() {}
}
