package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.soft.SoftMemoryRegion;
import io.remora.verbs.soft.SoftMemoryWindow;
import io.remora.verbs.soft.SoftProtectionDomain;
import java.lang.foreign.MemorySegment;

/** A protection domain with a key table that its peers, and no others, can read. Belongs to its context's loop. */
final class ShmProtectionDomain extends SoftProtectionDomain {
  private final ShmContext context;
  private final SharedKeys keys;

  ShmProtectionDomain(ShmContext context) {
    super(context);
    this.context = context;
    this.keys = new SharedKeys(context.local());
  }

  SharedKeys keys() {
    return keys;
  }

  ShmContext shm() {
    return context;
  }

  @Override
  protected SoftMemoryRegion newRegion(MemorySegment memory, int access) {
    Local.SharedMemory shared = context.local().find(memory);
    boolean forPeers = (access & ~Access.LOCAL_WRITE) != 0;
    if (shared == null && forPeers) {
      throw new RemoraException(Status.UNSUPPORTED,
          "provider shm: to register memory for peers that no other process can map "
              + "is not supported; take it from Context.allocate or a buffer pool");
    }
    return new ShmMemoryRegion(this, memory, access, forPeers ? shared : null);
  }

  @Override
  protected SoftMemoryWindow newWindow() {
    return new ShmMemoryWindow(this);
  }

  /** Waits until no peer of this domain copies by a key that has been withdrawn. */
  void awaitCopies() {
    for (LinkedQueuePair queuePair : context.linked()) {
      if (queuePair.protectionDomain() == this) {
        awaitCopies(queuePair);
      }
    }
  }

  /** Waits until that peer does not copy by a key that has been withdrawn. Who does not end its copies loses its connection. */
  void awaitCopies(LinkedQueuePair queuePair) {
    Link link = queuePair.link();
    if (link != null && !link.awaitCopies()) {
      queuePair.stuck(link.peerProcess());
    }
  }

  @Override
  protected void onClosed() {
    keys.close();
  }
}
