package io.remora.verbs.ibverbs;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import java.lang.foreign.Arena;

/**
 * Checks send requests and writes them as the device's library reads them, up to {@link #BATCH} in a chain; the library keeps nothing of them. Belongs to the loop of its queue
 * pair; allocates nothing per request.
 */
final class SendWriter {
  /** Requests of one call to the library. */
  static final int BATCH = 16;

  private final IbvProtectionDomain domain;
  private final QueuePairConfig config;
  private final boolean[] carried = new boolean[SendOpcode.SEND_WITH_INVALIDATE.code() + 1];
  private final int maxReadPieces;
  private final long maxBytes;
  private final Arena arena;
  private final long refused;
  private final long requests;
  private final long pieces;

  SendWriter(IbvProtectionDomain domain, QueuePairConfig config) {
    this.domain = domain;
    this.config = config;
    DeviceAttributes device = domain.context().attributes();
    for (SendOpcode opcode : SendOpcode.values()) {
      carried[opcode.code()] = config.type().carries(opcode) && device.can(capability(opcode, config.type()));
    }
    this.maxReadPieces = Math.min(config.maxPieces(), device.maxReadPieces());
    this.maxBytes = config.type() == QueuePairType.UD ? device.maxDatagramBytes() : device.maxMessageBytes();
    this.arena = domain.context().loop().newArena();
    this.refused = arena.allocate(8, 8).address();
    this.requests = arena.allocate((long) BATCH * SendLayout.BYTES, 64).address();
    this.pieces = arena.allocate((long) BATCH * pieceStride(), 64).address();
    for (int i = 0; i < BATCH; i++) {
      Memory.putLong(at(i) + SendLayout.PIECES, pieces + i * pieceStride());
    }
  }

  private static Capability capability(SendOpcode opcode, QueuePairType type) {
    return switch (opcode) {
      case SEND, WRITE -> type.capability();
      case READ -> Capability.READ;
      case SEND_WITH_IMMEDIATE, WRITE_WITH_IMMEDIATE -> Capability.IMMEDIATE;
      case SEND_WITH_INVALIDATE -> Capability.SEND_WITH_INVALIDATE;
      case COMPARE_AND_SWAP, FETCH_AND_ADD -> Capability.ATOMICS;
      case LOCAL_INVALIDATE, BIND_WINDOW -> Capability.MEMORY_WINDOWS;
    };
  }

  /** Whether {@code r} may be posted: OK, INVALID or UNSUPPORTED. */
  Status check(SendRequest r) {
    SendOpcode opcode = r.opcode();
    if (!carried[opcode.code()]) {
      return Status.UNSUPPORTED;
    }
    if (opcode == SendOpcode.LOCAL_INVALIDATE) {
      return Status.OK;
    }
    if (opcode == SendOpcode.BIND_WINDOW) {
      return IbvMemoryWindow.bindable(domain, r) ? Status.OK : Status.INVALID;
    }
    return sizesHold(r, opcode) && memoryHolds(r, opcode) ? Status.OK : Status.INVALID;
  }

  private boolean sizesHold(SendRequest r, SendOpcode opcode) {
    boolean ok = r.pieces() <= (opcode == SendOpcode.READ ? maxReadPieces : config.maxPieces())
        && r.totalBytes() <= maxBytes;
    if (opcode.isAtomic()) {
      ok &= r.totalBytes() == 8 && (r.remoteAddress() & 7) == 0;
    }
    if (r.isInline()) {
      ok &= !opcode.brings() && r.totalBytes() <= config.maxInlineBytes();
    }
    if (config.type() == QueuePairType.UD) {
      ok &= r.destination() instanceof IbvAddressHandle handle && handle.serves(domain);
    }
    return ok;
  }

  private boolean memoryHolds(SendRequest r, SendOpcode opcode) {
    int needed = opcode.brings() ? Access.LOCAL_WRITE : 0;
    for (int i = 0; i < r.pieces(); i++) {
      MemoryRegion named = r.region(i);
      if (!(named instanceof IbvMemoryRegion region)
          || !region.permits(domain, r.offset(i), r.length(i), needed)) {
        return false;
      }
    }
    return true;
  }

  /** Writes {@code r}, which has been checked, to place {@code index} of the chain, which ends there for now. */
  void write(int index, SendRequest r) {
    long to = at(index);
    SendOpcode opcode = r.opcode();
    Memory.putLong(to + SendLayout.ID, r.id());
    Memory.putLong(to + SendLayout.NEXT, 0);
    Memory.putInt(to + SendLayout.OPCODE, opcode.code());
    Memory.putInt(to + SendLayout.FLAGS, flags(r));
    Memory.putInt(to + SendLayout.IMMEDIATE, 0);
    Memory.putLong(refused, 0);
    int count = 0;
    switch (opcode) {
      case SEND, SEND_WITH_IMMEDIATE, SEND_WITH_INVALIDATE -> count = writePieces(to, r);
      case WRITE, WRITE_WITH_IMMEDIATE, READ -> {
        count = writePieces(to, r);
        Memory.putLong(to + SendLayout.REMOTE_ADDRESS, r.remoteAddress());
        Memory.putInt(to + SendLayout.REMOTE_KEY, r.remoteKey());
      }
      case COMPARE_AND_SWAP, FETCH_AND_ADD -> {
        count = writePieces(to, r);
        Memory.putLong(to + SendLayout.REMOTE_ADDRESS, r.remoteAddress());
        Memory.putLong(to + SendLayout.ATOMIC_COMPARE_ADD, r.compareOrAdd());
        Memory.putLong(to + SendLayout.ATOMIC_SWAP, r.swap());
        Memory.putInt(to + SendLayout.ATOMIC_KEY, r.remoteKey());
      }
      case LOCAL_INVALIDATE -> Memory.putInt(to + SendLayout.IMMEDIATE, r.invalidateKey());
      case BIND_WINDOW -> writeBind(to, r);
    }
    Memory.putInt(to + SendLayout.PIECE_COUNT, count);
    if (opcode == SendOpcode.SEND_WITH_IMMEDIATE || opcode == SendOpcode.WRITE_WITH_IMMEDIATE) {
      Memory.putInt(to + SendLayout.IMMEDIATE, Integer.reverseBytes(r.immediate()));
    } else if (opcode == SendOpcode.SEND_WITH_INVALIDATE) {
      Memory.putInt(to + SendLayout.IMMEDIATE, r.invalidateKey());
    }
    if (config.type() == QueuePairType.UD && r.destination() instanceof IbvAddressHandle handle) {
      Memory.putLong(to + SendLayout.DATAGRAM_ADDRESS, handle.address());
      Memory.putInt(to + SendLayout.DATAGRAM_QUEUE_PAIR, r.destinationQueuePair());
      Memory.putInt(to + SendLayout.DATAGRAM_KEY, r.queueKey());
    }
  }

  /** The device is to call the request at {@code index} {@code id}, and to tell its end if it is a read. */
  void name(int index, long id) {
    long to = at(index);
    Memory.putLong(to + SendLayout.ID, id);
    if (Memory.getInt(to + SendLayout.OPCODE) == SendOpcode.READ.code()) {
      Memory.putInt(to + SendLayout.FLAGS, Memory.getInt(to + SendLayout.FLAGS) | SendLayout.FLAG_SIGNALLED);
    }
  }

  /** The request at {@code index} follows the one before it. */
  void chain(int index) {
    Memory.putLong(at(index - 1) + SendLayout.NEXT, at(index));
  }

  /** The first request. */
  long first() {
    return requests;
  }

  /** Where the library says which request it refuses. */
  long refused() {
    return refused;
  }

  /** How many of {@code count} requests the library took, having given {@code result}. */
  int taken(int result, int count) {
    long first = Memory.getLong(refused);
    if (first >= requests && first < at(count)) {
      // siw gives 0 when it refuses one for want of room after it has taken others.
      return (int) ((first - requests) / SendLayout.BYTES);
    }
    return result == 0 ? count : 0;
  }

  private int flags(SendRequest r) {
    return (r.isSignalled() ? SendLayout.FLAG_SIGNALLED : 0) | (r.isFenced() ? SendLayout.FLAG_FENCE : 0)
        | (r.isSolicited() && r.opcode().takesReceive() ? SendLayout.FLAG_SOLICITED : 0)
        | (r.isInline() && r.totalBytes() > 0 ? SendLayout.FLAG_INLINE : 0);
  }

  private int writePieces(long to, SendRequest r) {
    long piece = Memory.getLong(to + SendLayout.PIECES);
    for (int i = 0; i < r.pieces(); i++) {
      MemoryRegion region = r.region(i);
      Memory.putLong(piece + PieceLayout.ADDRESS, region.address() + r.offset(i));
      Memory.putInt(piece + PieceLayout.LENGTH, r.length(i));
      Memory.putInt(piece + PieceLayout.LOCAL_KEY, region.localKey());
      piece += PieceLayout.BYTES;
    }
    return r.pieces();
  }

  private static void writeBind(long to, SendRequest r) {
    if (r.window() instanceof IbvMemoryWindow window && r.bound() instanceof IbvMemoryRegion region) {
      Memory.putLong(to + SendLayout.WINDOW, window.address());
      Memory.putInt(to + SendLayout.WINDOW_KEY, r.bindKey());
      Memory.putLong(to + SendLayout.WINDOW_REGION, region.nativeAddress());
      Memory.putLong(to + SendLayout.WINDOW_ADDRESS, region.address() + r.bindOffset());
      Memory.putLong(to + SendLayout.WINDOW_LENGTH, r.bindLength());
      Memory.putInt(to + SendLayout.WINDOW_ACCESS, r.bindAccess());
    }
  }

  private long pieceStride() {
    return (long) Math.max(1, config.maxPieces()) * PieceLayout.BYTES;
  }

  private long at(int index) {
    return requests + (long) index * SendLayout.BYTES;
  }

  void close() {
    arena.close();
  }
}
