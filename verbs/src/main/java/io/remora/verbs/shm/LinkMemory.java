package io.remora.verbs.shm;

import io.remora.base.Local;
import io.remora.base.LocalSocket;
import io.remora.base.RemoraException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The shared memory of a connection in the making: the connecting end makes the control memory, the accepting end maps it, and each maps what the other one shows. It is freed here
 * until a {@link Link} stands, by that link afterwards. Belongs to its context's loop.
 */
final class LinkMemory {
  private final ShmContext context;
  /** Of all mappings; null when there are none, or they are the link's. */
  private @Nullable Arena arena;
  private MemorySegment control = MemorySegment.NULL;

  LinkMemory(ShmContext context) {
    this.context = context;
  }

  /** Makes the control memory. */
  void allocate() {
    Arena made = Arena.ofConfined();
    arena = made;
    control = context.local().allocate(made, Control.BYTES, true);
  }

  /** The control memory as it can be shown to the other end; null when there is none. */
  Local.@Nullable SharedMemory shared() {
    return context.local().find(control);
  }

  /**
   * Maps the other end's control memory.
   *
   * @throws RemoraException when the descriptor, which is used up, leads to nothing of the kind
   */
  void map(int descriptor) {
    Arena made = Arena.ofConfined();
    arena = made;
    control = context.local().map(made, descriptor, Control.BYTES, true);
  }

  /**
   * Maps the sleep word and the keys that the other end has shown, and connects {@code queuePair} over it all.
   *
   * @param peer the number of the other end's queue pair
   * @param reads how many reads and atomics this end may have under way at once
   * @param connecting whether this is the connecting end
   * @throws RemoraException when the descriptors, which are used up, lead to nothing of the kind
   */
  void link(LinkedQueuePair queuePair, LocalSocket socket, int sleepDescriptor, int keysDescriptor, int peer,
      int reads, boolean connecting) {
    Arena made = arena;
    assert made != null;
    int keysLeft = keysDescriptor;
    try {
      MemorySegment sleep = context.local().map(made, sleepDescriptor, ShmContext.SLEEP_BYTES, false);
      keysLeft = -1;
      MemorySegment keys = context.local().map(made, keysDescriptor, KeyLayout.BYTES, false);
      queuePair.connected(new Link(context, queuePair, socket, made, control, sleep, keys, peer, connecting), peer,
          reads);
      arena = null;
    } finally {
      if (keysLeft >= 0) {
        context.local().close(keysLeft);
      }
    }
  }

  /** Frees what no link has. */
  void close() {
    Arena made = arena;
    if (made != null) {
      arena = null;
      made.close();
    }
  }
}
