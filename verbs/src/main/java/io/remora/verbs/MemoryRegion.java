package io.remora.verbs;

import java.lang.foreign.MemorySegment;

/**
 * Registered memory ({@code ibv_mr}): the device may work with it, and so may peers that hold its key, within its {@link Access}. Belongs to its
 * protection domain. Longer than 4 GiB is fine.
 *
 * <p>The memory must live longer than the region: close the region first. Closing it makes its keys invalid at once; close it only when no request in
 * flight names it.
 */
public interface MemoryRegion extends AutoCloseable {
  /** What was registered. */
  MemorySegment segment();

  /** What peers call its first byte. */
  long address();

  /** Its length in bytes. */
  long lengthBytes();

  /** Bits of {@link Access}. */
  int access();

  /** The key by which this end's requests name it. */
  int localKey();

  /** The key by which peers name it. Whoever has it may use the whole region: hand out {@linkplain MemoryWindow windows} instead. */
  int remoteKey();

  /** Where it belongs. */
  ProtectionDomain protectionDomain();

  /** Invalidates its keys. Refuses ({@link io.remora.base.Status#BUSY}) while windows are bound to it. Idempotent. */
  @Override
  void close();
}
