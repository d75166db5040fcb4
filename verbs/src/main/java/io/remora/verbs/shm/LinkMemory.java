package io.remora.verbs.shm;

import io.remora.base.Doorbell;
import io.remora.base.Local;
import io.remora.base.LocalSocket;
import io.remora.base.RemoraException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What a connection in the making shares: the connecting end makes the control memory, the accepting end maps it, each has a doorbell for the other one, and takes what the other one shows. That is freed
 * here until a {@link Link} stands, by that link afterwards; this end's doorbell stays here. Belongs to its context's loop.
 */
final class LinkMemory {
  private final ShmContext context;
  /** Of all mappings; null when there are none, or they are the link's. */
  private @Nullable Arena arena;
  private MemorySegment control = MemorySegment.NULL;
  /** By which the other end wakes this one. */
  private @Nullable Doorbell doorbell;
  /** By which this end wakes the other one; null when there is none, or it is the link's. */
  private @Nullable PeerLoop peerLoop;

  LinkMemory(ShmContext context) {
    this.context = context;
  }

  /**
   * Makes the control memory, and the doorbell.
   *
   * @throws RemoraException {@link io.remora.base.Status#NO_RESOURCES}; then what was made is kept until {@link #close}
   */
  void allocate() {
    close();
    Arena made = Arena.ofConfined();
    arena = made;
    control = context.local().allocate(made, Control.BYTES, true);
    doorbell = context.local().newDoorbell();
  }

  /** The control memory as it can be shown to the other end; null when there is none. */
  Local.@Nullable SharedMemory shared() {
    return context.local().find(control);
  }

  /**
   * Maps the other end's control memory, and makes the doorbell.
   *
   * @throws RemoraException when the descriptor, which is used up, leads to nothing of the kind; {@link io.remora.base.Status#NO_RESOURCES}
   */
  void map(int descriptor) {
    Arena made = Arena.ofConfined();
    arena = made;
    control = context.local().map(made, descriptor, Control.BYTES, true);
    doorbell = context.local().newDoorbell();
  }

  /** Of this end's doorbell. */
  int doorbell() {
    Doorbell made = doorbell;
    assert made != null;
    return made.descriptor();
  }

  /**
   * Maps the sleep word and the keys that the other end has shown, takes its doorbell, and connects {@code queuePair} over it all.
   *
   * @param shown by the other end; used up
   * @param peer the number of the other end's queue pair
   * @param reads how many reads and atomics this end may have under way at once
   * @param connecting whether this is the connecting end
   * @throws RemoraException when the descriptors lead to nothing of the kind
   */
  void link(LinkedQueuePair queuePair, LocalSocket socket, Descriptors shown, int peer, int reads, boolean connecting) {
    Arena made = arena;
    assert made != null;
    Local local = context.local();
    try (shown) {
      MemorySegment sleep = local.map(made, shown.take(Descriptors.SLEEP), ShmContext.SLEEP_BYTES, false);
      MemorySegment keys = local.map(made, shown.take(Descriptors.KEYS), KeyLayout.BYTES, false);
      PeerLoop loop = new PeerLoop(sleep, local.takeDoorbell(shown.take(Descriptors.DOORBELL)));
      peerLoop = loop;
      queuePair.connected(new Link(context, queuePair, socket, made, control, loop, keys, peer, connecting), peer,
          reads);
      peerLoop = null;
      arena = null;
    }
  }

  /** Frees what no link has. */
  void close() {
    Doorbell mine = doorbell;
    if (mine != null) {
      doorbell = null;
      mine.close();
    }
    PeerLoop theirs = peerLoop;
    if (theirs != null) {
      peerLoop = null;
      theirs.close();
    }
    Arena made = arena;
    if (made != null) {
      arena = null;
      made.close();
    }
  }
}
