package io.remora.verbs.shm;

import io.remora.verbs.soft.SoftMemoryWindow;
import io.remora.verbs.soft.SoftQueuePair;
import org.jspecify.annotations.Nullable;

/** A memory window: while it is bound, its key stands in the domain's table. Belongs to its context's loop. */
final class ShmMemoryWindow extends SoftMemoryWindow {
  private static final long NOWHERE = -1;

  private final ShmProtectionDomain domain;
  private long place = NOWHERE;
  private @Nullable LinkedQueuePair boundBy;

  ShmMemoryWindow(ShmProtectionDomain domain) {
    super(domain);
    this.domain = domain;
    try {
      place = domain.keys().reserve(remoteKey());
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  protected void onBound() {
    SoftQueuePair user = user();
    if (user instanceof LinkedQueuePair queuePair && region() instanceof ShmMemoryRegion region) {
      Segments.Piece piece = region.piece();
      if (piece != null) {
        boundBy = queuePair;
        domain.keys().publish(place, remoteKey(), firstAddress(), extentBytes(), rights(), queuePair.number(),
            piece.number,
            firstAddress() - piece.memory.whole().address());
      }
    }
  }

  @Override
  protected void onUnbound() {
    LinkedQueuePair queuePair = boundBy;
    if (queuePair != null) {
      boundBy = null;
      domain.keys().withdraw(place);
      // Nobody but that peer copies by it, and none of its copies is behind its own message.
      if (!queuePair.takesInvalidation()) {
        domain.awaitCopies(queuePair);
      }
    }
  }

  @Override
  protected void onClosed() {
    if (place != NOWHERE) {
      domain.keys().release(place);
    }
  }
}
