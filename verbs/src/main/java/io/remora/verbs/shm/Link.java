package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.remora.base.Clock;
import io.remora.base.LocalSocket;
import io.remora.base.RemoraException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A connection that stands, as one end sees it: the shared rings, the peer's memory, the peer's doorbell, and the socket for what needs the kernel. Belongs to its context's loop.
 *
 * <p>Messages of the socket, by their first byte: {@code S} asks for the memory that a key leads to; {@code M} brings it, with its number and
 * length and a descriptor, or {@code N} refuses. {@code U} takes the memory of a number back.
 */
final class Link {
  private static final byte ASK = 'S';
  private static final byte MEMORY = 'M';
  private static final byte REFUSE = 'N';
  private static final byte UNMAP = 'U';
  private static final int MEMORY_BYTES = 17;
  /** Copies take microseconds; a process that was not let run meanwhile, some time more. */
  private static final long MAX_WAIT_NS = 100_000_000L;
  private static final System.Logger LOG = System.getLogger("io.remora.verbs");

  private final ShmContext context;
  private final LinkedQueuePair queuePair;
  private final LocalSocket socket;
  private final Arena arena;
  private final Control control;
  private final OutRing out;
  private final InRing in;
  private final PeerMemory memory;
  private final PeerLoop peerLoop;
  private final Set<Long> given = new HashSet<>();
  private boolean asking;
  private boolean refused;

  /**
   * Over memory that is mapped.
   *
   * @param arena of the mappings; the link's from now on
   * @param shared the connection's control memory
   * @param peerLoop the link's from now on
   * @param peerKeys the key table of the peer's domain
   */
  Link(ShmContext context, LinkedQueuePair queuePair, LocalSocket socket, Arena arena, MemorySegment shared,
      PeerLoop peerLoop, MemorySegment peerKeys, int peerNumber, boolean connecting) {
    this.context = context;
    this.queuePair = queuePair;
    this.socket = socket;
    this.arena = arena;
    this.control = new Control(shared, connecting);
    this.out = new OutRing(control);
    this.in = new InRing(control);
    this.memory = new PeerMemory(context.local(), control, peerKeys, peerNumber);
    this.peerLoop = peerLoop;
  }

  Control control() {
    return control;
  }

  OutRing out() {
    return out;
  }

  InRing in() {
    return in;
  }

  PeerMemory memory() {
    return memory;
  }

  int peerProcess() {
    return socket.peerProcess();
  }

  /** Something was put into shared memory that the peer should look at. */
  void wakePeer() {
    peerLoop.wake();
  }

  /** Asks for the memory that {@code key} leads to, once; false when the peer has refused. */
  boolean ask(int key) {
    if (refused) {
      refused = false;
      return false;
    }
    if (!asking) {
      MemorySegment message = context.scratch();
      message.set(JAVA_BYTE, 0, ASK);
      message.set(JAVA_INT_UNALIGNED, 1, key);
      asking = socket.send(message, 0, 5) > 0;
    }
    return true;
  }

  /**
   * A message has come, of {@code length} bytes in the context's scratch memory.
   *
   * @return why it makes no sense, or null
   */
  @Nullable
  String take(int length) {
    MemorySegment message = context.scratch();
    switch (message.get(JAVA_BYTE, 0)) {
      case ASK -> {
        if (length < 5) {
          return "a message that is too short";
        }
        give(message.get(JAVA_INT_UNALIGNED, 1));
      }
      case MEMORY -> {
        int descriptor = socket.takeDescriptor();
        if (!asking || length < MEMORY_BYTES || descriptor < 0) {
          if (descriptor >= 0) {
            context.local().close(descriptor);
          }
          return "memory that nobody asked for";
        }
        asking = false;
        try {
          memory.map(message.get(JAVA_LONG_UNALIGNED, 1), descriptor, message.get(JAVA_LONG_UNALIGNED, 9));
        } catch (RemoraException e) {
          return e.getMessage();
        }
        queuePair.goOn();
      }
      case REFUSE -> {
        refused = asking;
        asking = false;
        queuePair.goOn();
      }
      case UNMAP -> {
        if (length >= 9) {
          memory.unmap(message.get(JAVA_LONG_UNALIGNED, 1));
        }
      }
      default -> {
        return "a message of an unknown kind";
      }
    }
    return null;
  }

  private void give(int key) {
    MemorySegment message = context.scratch();
    long number = queuePair.keys().segmentOf(key, queuePair.number());
    Segments.Piece piece = context.segments().find(number);
    // Memory that was freed under its region may have left its descriptor's number to something else.
    if (piece == null || !piece.memory.equals(context.local().find(piece.memory.whole()))) {
      message.set(JAVA_BYTE, 0, REFUSE);
      socket.send(message, 0, 1);
      return;
    }
    message.set(JAVA_BYTE, 0, MEMORY);
    message.set(JAVA_LONG_UNALIGNED, 1, number);
    message.set(JAVA_LONG_UNALIGNED, 9, piece.memory.whole().byteSize());
    if (socket.send(message, 0, MEMORY_BYTES, new int[] {piece.memory.descriptor()}) > 0) {
      given.add(number);
    }
  }

  /** Nothing in {@code piece} is registered any more. */
  void withdrawn(Segments.Piece piece) {
    if (given.remove(piece.number)) {
      MemorySegment message = context.scratch();
      message.set(JAVA_BYTE, 0, UNMAP);
      message.set(JAVA_LONG_UNALIGNED, 1, piece.number);
      socket.send(message, 0, 9);
    }
  }

  /** Waits until the peer does not copy by a key that has been withdrawn; false when it does not end the copies it is at. */
  boolean awaitCopies() {
    // Either this end sees that the peer copies, or the peer sees that the key is invalid.
    VarHandle.fullFence();
    long hazard = control.peerHazard();
    return !Control.isCopy(hazard) || awaitChange(hazard);
  }

  private boolean awaitChange(long hazard) {
    Clock clock = context.loop().clock();
    long giveUp = clock.nanoTime() + MAX_WAIT_NS;
    while (control.peerHazard() == hazard) {
      if (clock.nanoTime() - giveUp > 0) {
        return false;
      }
      Thread.onSpinWait();
    }
    return true;
  }

  /**
   * Ends it: tells the peer why, and touches no memory of the peer's any more, nor does the peer of this end's.
   *
   * @param gone whether the peer is known to have gone, or to be beyond hope
   */
  void close(EndReason reason, boolean gone) {
    memory.endCopies();
    control.down(reason);
    long hazard = control.peerHazard();
    if (!gone && Control.isCopy(hazard) && !awaitChange(hazard)) {
      LOG.log(System.Logger.Level.WARNING,
          "{0}: the peer, process {1}, did not end its copies before its connection ended",
          queuePair,
          Integer.toString(peerProcess()));
    }
    memory.close();
    peerLoop.close();
    arena.close();
  }
}
