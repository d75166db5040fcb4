package io.remora.verbs.shm;

import io.remora.base.Doorbell;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/** The loop of the peer, as far as it is to be woken: a word that says whether it sleeps, and a doorbell of this connection's alone. Belongs to this end's loop. */
final class PeerLoop implements AutoCloseable {
  private final MemorySegment sleeps;
  private final Doorbell doorbell;
  private long rung;

  /**
   * Over what the peer has shown.
   *
   * @param sleeps memory of its context that begins with a number, odd while the loop sleeps; whose mapping is somebody else's
   * @param doorbell this object's from now on
   */
  PeerLoop(MemorySegment sleeps, Doorbell doorbell) {
    this.sleeps = sleeps;
    this.doorbell = doorbell;
  }

  /** After something was put into shared memory that the peer should look at: wakes it if it sleeps, once for each sleep. */
  void wake() {
    // Either this end sees that the peer sleeps, or the peer sees before it does what was put there.
    VarHandle.fullFence();
    long now = Words.getAcquire(sleeps, 0);
    if ((now & 1) != 0 && now != rung) {
      rung = now;
      doorbell.ring();
    }
  }

  @Override
  public void close() {
    doorbell.close();
  }
}
