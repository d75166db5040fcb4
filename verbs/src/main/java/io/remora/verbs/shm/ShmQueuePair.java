package io.remora.verbs.shm;

import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.soft.SoftProtectionDomain;
import io.remora.verbs.soft.SoftQueuePair;
import org.jspecify.annotations.Nullable;

/** What the queue pairs of the device have in common: they belong to a connection manager's id. Belongs to its context's loop. */
abstract class ShmQueuePair extends SoftQueuePair {
  private @Nullable ShmCmId id;

  ShmQueuePair(SoftProtectionDomain domain, QueuePairConfig config) {
    super(domain, config);
  }

  /** Belongs to {@code owner}: receives may be posted. */
  final void begin(ShmCmId owner) {
    id = owner;
    setState(QueuePairState.INIT);
  }

  /** The connection of its id has ended. */
  abstract void ended(EndReason reason);

  /** Whether its user has closed it. */
  final boolean isGone() {
    return isClosed();
  }

  /** Tells its id that it has failed. */
  final void tellFailed() {
    ShmCmId owner = id;
    if (owner != null) {
      owner.queuePairFailed();
    }
  }
}
