package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.verbs.Access;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.Capability;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.MemoryWindow;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.SharedReceiveQueue;
import io.remora.verbs.soft.Children;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** A protection domain of the device. Belongs to its context's loop. */
final class IbvProtectionDomain implements ProtectionDomain {
  private static final String KIND = "protection domain";

  private final IbvContext context;
  private final OpenDevice device;
  private final Children children = new Children();
  private final long domain;
  private boolean closed;

  IbvProtectionDomain(IbvContext context) {
    this.context = context;
    this.device = context.device();
    this.domain = NativeErrors.check(device.libraries.verbs().allocPd.call(device.context), device.what(KIND));
    context.children().opened(KIND);
  }

  @Override
  public IbvContext context() {
    return context;
  }

  /** The native domain. */
  long address() {
    return domain;
  }

  Children children() {
    return children;
  }

  @Override
  public MemoryRegion register(MemorySegment memory, int access) {
    requireOpen();
    Check.argument(memory.isNative() && memory.byteSize() > 0,
        "memory of %d bytes: register native memory of at least 1 byte", memory.byteSize());
    Check.argument(Access.valid(access), "access %s: remote writing and atomics need local-write", Access.text(access));
    if ((access & Access.REMOTE_ATOMIC) != 0) {
      device.require(Capability.ATOMICS, "remote-atomic access");
    }
    if ((access & Access.WINDOW_BIND) != 0) {
      device.require(Capability.MEMORY_WINDOWS, "window-bind access");
    }
    return new IbvMemoryRegion(this, memory, access);
  }

  /** No device has one for processes: the reserved key is the kernel's own. */
  @Override
  public MemoryRegion reservedRegion() {
    device.require(Capability.RESERVED_LKEY, "memory that is not registered");
    throw new AssertionError();
  }

  @Override
  public MemoryWindow allocateMemoryWindow() {
    requireOpen();
    device.require(Capability.MEMORY_WINDOWS, "a memory window");
    return new IbvMemoryWindow(this);
  }

  @Override
  public IbvQueuePair createQueuePair(QueuePairConfig config) {
    device.require(Capability.MANUAL_CONNECTION, "a queue pair without the connection manager");
    return newQueuePair(config);
  }

  /** For a connection or by hand. */
  IbvQueuePair newQueuePair(QueuePairConfig config) {
    requireOpen();
    check(config);
    return new IbvQueuePair(this, config);
  }

  private void check(QueuePairConfig config) {
    DeviceAttributes limits = device.attributes;
    device.require(config.type().capability(), "a queue pair of type " + config.type());
    Check.argument(
        config.sendCompletions() instanceof IbvCompletionQueue send && send.context() == context && send.isOpen()
            && config.receiveCompletions() instanceof IbvCompletionQueue receive && receive.context() == context
            && receive.isOpen(),
        "a queue pair's completion queues must be its own context's, and open");
    Check.argument(config.sharedReceives() == null || mayUse(config.sharedReceives()),
        "a queue pair's shared receive queue must be its own protection domain's, and open");
    range(config.maxSends(), 1, limits.maxWorkRequests(), "sends");
    range(config.maxReceives(), 0, limits.maxWorkRequests(), "receives");
    range(config.maxPieces(), 0, limits.maxPieces(), "pieces");
    range(config.maxInlineBytes(), 0, limits.maxInlineBytes(), "bytes inline");
  }

  private boolean mayUse(SharedReceiveQueue queue) {
    return queue instanceof IbvSharedReceiveQueue shared && shared.domain() == this && shared.isOpen();
  }

  @Override
  public SharedReceiveQueue createSharedReceiveQueue(int maxRequests, int maxPieces) {
    requireOpen();
    device.require(Capability.SHARED_RECEIVE_QUEUE, "a shared receive queue");
    range(maxRequests, 1, device.attributes.maxWorkRequests(), "receives");
    range(maxPieces, 0, device.attributes.maxPieces(), "pieces");
    return new IbvSharedReceiveQueue(this, maxRequests, maxPieces);
  }

  @Override
  public AddressHandle createAddressHandle(InetSocketAddress destination) {
    requireOpen();
    device.require(Capability.UD, "an address handle");
    return IbvAddressHandle.of(this, destination);
  }

  private static void range(int value, int least, int most, String what) {
    Check.argument(value >= least && value <= most, "%d %s: %d to %d", value, what, least, most);
  }

  private void requireOpen() {
    assert context.loop().inLoop();
    Check.that(!closed, "the protection domain is closed");
  }

  @Override
  public void close() {
    if (!closed) {
      children.none(device.what(KIND));
      NativeErrors.check(device.libraries.verbs().deallocPd.call(domain), device.what("close a " + KIND));
      closed = true;
      context.children().closed(KIND);
    }
  }
}
