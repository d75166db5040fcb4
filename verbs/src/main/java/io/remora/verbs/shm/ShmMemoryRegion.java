package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.verbs.soft.SoftMemoryRegion;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A memory region; when it has rights for peers, its key stands in the domain's table. Belongs to its context's loop. */
final class ShmMemoryRegion extends SoftMemoryRegion {
  private static final long NOWHERE = -1;

  private final ShmProtectionDomain domain;
  private final Segments.@Nullable Piece piece;
  private long place = NOWHERE;

  /** Over {@code memory}, which lies in {@code shared}; null when it is for this end alone. */
  ShmMemoryRegion(ShmProtectionDomain domain, MemorySegment memory, int access, Local.@Nullable SharedMemory shared) {
    super(domain, memory, access);
    this.domain = domain;
    this.piece = shared == null ? null : domain.shm().segments().use(shared);
    if (shared != null && piece != null) {
      try {
        place = domain.keys().reserve(remoteKey());
      } catch (RuntimeException e) {
        close();
        throw e;
      }
      domain.keys().publish(place, remoteKey(), address(), lengthBytes(), access, 0, piece.number,
          memory.address() - shared.whole().address());
    }
  }

  Segments.@Nullable Piece piece() {
    return piece;
  }

  @Override
  protected void onClosed() {
    if (place != NOWHERE) {
      domain.keys().withdraw(place);
      domain.awaitCopies();
      domain.keys().release(place);
    }
    if (piece != null && domain.shm().segments().release(piece)) {
      for (LinkedQueuePair queuePair : domain.shm().linked()) {
        queuePair.withdrawn(piece);
      }
    }
  }
}
