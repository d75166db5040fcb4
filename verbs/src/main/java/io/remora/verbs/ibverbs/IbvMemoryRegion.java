package io.remora.verbs.ibverbs;

import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import java.lang.foreign.MemorySegment;

/**
 * Memory that the device knows. Belongs to its protection domain's loop.
 *
 * <p>On iWARP adapters a peer answers a read by a write, so that a region that may be the sink of reads ({@link Access#LOCAL_WRITE}) is registered there
 * with remote-write access too: its key must not be handed out. The kernel's siw does not need that.
 */
final class IbvMemoryRegion implements MemoryRegion {
  private static final String KIND = "memory region";

  private final IbvProtectionDomain domain;
  private final MemorySegment segment;
  private final long address;
  private final long lengthBytes;
  private final int access;
  private final long region;
  private final int localKey;
  private final int remoteKey;
  private boolean open = true;

  IbvMemoryRegion(IbvProtectionDomain domain, MemorySegment segment, int access) {
    this.domain = domain;
    this.segment = segment;
    this.address = segment.address();
    this.lengthBytes = segment.byteSize();
    this.access = access;
    OpenDevice device = domain.context().device();
    this.region = NativeErrors.check(
        device.libraries.verbs().regMr.call(domain.address(), address, lengthBytes, nativeAccess(device, access)),
        device.what("register " + lengthBytes + " bytes for " + Access.text(access)));
    this.localKey = Memory.getInt(region + RegionLayout.LOCAL_KEY);
    this.remoteKey = Memory.getInt(region + RegionLayout.REMOTE_KEY);
    domain.children().opened(KIND);
  }

  private static int nativeAccess(OpenDevice device, int access) {
    boolean sink = device.fabric == Fabric.IWARP && device.hardware && (access & Access.LOCAL_WRITE) != 0;
    return sink ? access | Access.REMOTE_WRITE : access;
  }

  /** The native region. */
  long nativeAddress() {
    return region;
  }

  /** Whether requests of {@code user} may work with {@code length} bytes at {@code offset} as {@code needed} says. */
  boolean permits(IbvProtectionDomain user, long offset, long length, int needed) {
    return open && domain == user && offset >= 0 && length >= 0 && offset <= lengthBytes - length
        && (access & needed) == needed;
  }

  @Override
  public MemorySegment segment() {
    return segment;
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public int access() {
    return access;
  }

  @Override
  public int localKey() {
    return localKey;
  }

  @Override
  public int remoteKey() {
    return remoteKey;
  }

  @Override
  public ProtectionDomain protectionDomain() {
    return domain;
  }

  @Override
  public void close() {
    if (open) {
      OpenDevice device = domain.context().device();
      long result = device.libraries.verbs().deregMr.call(region);
      if (result == -NativeErrors.EINVAL && device.attributes.can(Capability.MEMORY_WINDOWS)) {
        // What rxe says of a region with windows bound to it; others say that it is busy.
        result = -NativeErrors.EBUSY;
      }
      NativeErrors.check(result, device.what("close a " + KIND));
      open = false;
      domain.children().closed(KIND);
    }
  }
}
