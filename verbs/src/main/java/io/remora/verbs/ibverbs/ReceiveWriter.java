package io.remora.verbs.ibverbs;

import io.remora.verbs.Access;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ReceiveRequest;
import java.lang.foreign.Arena;

/** Writes receives as the device's library reads them, one at a time; the library keeps nothing of them. Belongs to the loop of its queue; allocates nothing per request. */
final class ReceiveWriter {
  private final IbvProtectionDomain domain;
  private final int maxPieces;
  private final Arena arena;
  private final long refused;
  private final long request;
  private final long pieces;
  /** What goes for no pieces at all: one of no bytes where the device wants one. */
  private final int least;

  ReceiveWriter(IbvProtectionDomain domain, int maxPieces) {
    this.domain = domain;
    this.maxPieces = maxPieces;
    this.arena = domain.context().loop().newArena();
    this.refused = arena.allocate(8, 8).address();
    this.request = arena.allocate(ReceiveLayout.BYTES, 64).address();
    this.pieces = arena.allocate((long) Math.max(1, maxPieces) * PieceLayout.BYTES, 64).address();
    this.least = domain.context().device().quirks.receivesNeedAPiece() ? 1 : 0;
    Memory.putLong(request + ReceiveLayout.PIECES, pieces);
  }

  /** False when it has too many pieces, or names memory that is not the domain's or not to be written. */
  boolean write(ReceiveRequest r) {
    if (r.pieces() > maxPieces) {
      return false;
    }
    for (int i = 0; i < r.pieces(); i++) {
      MemoryRegion named = r.region(i);
      if (!(named instanceof IbvMemoryRegion region)
          || !region.permits(domain, r.offset(i), r.length(i), Access.LOCAL_WRITE)) {
        return false;
      }
      long piece = pieces + (long) i * PieceLayout.BYTES;
      Memory.putLong(piece + PieceLayout.ADDRESS, region.address() + r.offset(i));
      Memory.putInt(piece + PieceLayout.LENGTH, r.length(i));
      Memory.putInt(piece + PieceLayout.LOCAL_KEY, region.localKey());
    }
    if (r.pieces() < least) {
      Memory.zero(pieces, PieceLayout.BYTES);
    }
    Memory.putLong(request + ReceiveLayout.ID, r.id());
    Memory.putInt(request + ReceiveLayout.PIECE_COUNT, Math.max(r.pieces(), least));
    Memory.putLong(refused, 0);
    return true;
  }

  /** The request that was written last. */
  long request() {
    return request;
  }

  /** Where the library says which request it refuses. */
  long refused() {
    return refused;
  }

  void close() {
    arena.close();
  }
}
