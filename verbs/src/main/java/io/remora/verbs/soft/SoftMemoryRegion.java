package io.remora.verbs.soft;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import java.lang.foreign.MemorySegment;

/** A memory region in software: an entry of the key table. */
public class SoftMemoryRegion extends KeyEntry implements MemoryRegion {
  @SuppressWarnings("restricted")
  private static final MemorySegment ALL_MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  /** Key 0, which no table knows. */
  private static final int RESERVED = 0;

  private int windows;

  /** All memory, without a key of the table: {@link ProtectionDomain#reservedRegion}. */
  SoftMemoryRegion(SoftProtectionDomain domain) {
    super(domain, RESERVED, RESERVED);
    this.segment = ALL_MEMORY;
    this.lengthBytes = ALL_MEMORY.byteSize();
    this.access = Access.LOCAL_WRITE;
    this.valid = true;
  }

  /** Registers {@code memory}, whose address peers use. */
  protected SoftMemoryRegion(SoftProtectionDomain domain, MemorySegment memory, int access) {
    super(domain, domain.context().keys().freeIndex(), domain.context().keys().freeTag());
    this.segment = memory;
    this.address = memory.address();
    this.lengthBytes = memory.byteSize();
    this.access = access;
    this.valid = true;
    domain.context().keys().add(this);
    domain.opened("memory region");
  }

  /** Whether it is not closed. */
  public final boolean isOpen() {
    return valid;
  }

  /** Whether a request may work with {@code length} bytes at {@code offset} as {@code needed} says. */
  final boolean permits(long offset, int length, int needed) {
    return valid && offset >= 0 && length >= 0 && offset <= lengthBytes - length && (access & needed) == needed;
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
    return key();
  }

  @Override
  public int remoteKey() {
    return key();
  }

  @Override
  public ProtectionDomain protectionDomain() {
    return domain();
  }

  void windowBound() {
    windows++;
  }

  void windowUnbound() {
    windows--;
  }

  @Override
  boolean invalidate() {
    return false;
  }

  @Override
  public void close() {
    Check.argument(index != RESERVED, "the reserved region is not to be closed");
    if (valid) {
      if (windows > 0) {
        throw new RemoraException(Status.BUSY,
            "memory region: " + windows + " windows are bound to it; invalidate them first");
      }
      Check.that(domain().context().loop().inLoop(), "a memory region is closed outside of its loop");
      valid = false;
      domain().context().keys().remove(this);
      domain().closed("memory region");
      onClosed();
    }
  }

  /** It is registered no longer. For providers. */
  protected void onClosed() {}
}
