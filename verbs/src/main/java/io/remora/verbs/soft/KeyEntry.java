package io.remora.verbs.soft;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** What a key names: a memory region, or a window while it is bound. Belongs to its context's loop. */
public abstract class KeyEntry {
  private final SoftProtectionDomain domain;
  /** 24 bits, not 0: the upper part of the key. */
  final int index;
  /** The lower 8 bits of the key that holds now. */
  int tag;
  boolean valid;
  /** What peers call the first byte. */
  long address;
  long lengthBytes;
  int access;
  /** Where the first byte lies in {@link #segment}. */
  long offset;
  MemorySegment segment = MemorySegment.NULL;
  /** The one whose peer may use it; null: all of the domain. */
  @Nullable
  SoftQueuePair user;

  KeyEntry(SoftProtectionDomain domain, int index, int tag) {
    this.domain = domain;
    this.index = index;
    this.tag = tag;
  }

  SoftProtectionDomain domain() {
    return domain;
  }

  /** The key that holds now. */
  final int key() {
    return index << 8 | tag;
  }

  /** What peers call its first byte; while it is valid. */
  protected final long firstAddress() {
    return address;
  }

  /** How long it is, in bytes; while it is valid. */
  protected final long extentBytes() {
    return lengthBytes;
  }

  /** What may be done by its key, bits of {@link io.remora.verbs.Access}; while it is valid. */
  protected final int rights() {
    return access;
  }

  /** The one whose peer may use it; null: all of the domain. */
  protected final @Nullable SoftQueuePair user() {
    return user;
  }

  /** The memory in which it lies. */
  public final MemorySegment segment() {
    return segment;
  }

  /** Where in {@link #segment} a peer's {@code at} lies, in bytes; after {@link KeyTable#check}. */
  public final long offsetOf(long at) {
    return offset + (at - address);
  }

  /** Takes a peer's or this end's own invalidation; false when this entry takes none (a memory region). */
  abstract boolean invalidate();
}
