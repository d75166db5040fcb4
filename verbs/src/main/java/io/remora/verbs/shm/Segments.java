package io.remora.verbs.shm;

import io.remora.base.Local;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The pieces of shared memory in which a context's regions lie, by the numbers that its peers know them by. Belongs to its loop. */
final class Segments {
  /** A piece, as long as something in it is registered. */
  static final class Piece {
    final long number;
    final Local.SharedMemory memory;
    private int regions;

    private Piece(long number, Local.SharedMemory memory) {
      this.number = number;
      this.memory = memory;
    }
  }

  private final Map<Local.SharedMemory, Piece> byMemory = new HashMap<>();
  private final Map<Long, Piece> byNumber = new HashMap<>();
  private long last;

  /** One more region in {@code memory}. */
  Piece use(Local.SharedMemory memory) {
    Piece piece = byMemory.computeIfAbsent(memory, of -> new Piece(++last, of));
    byNumber.put(piece.number, piece);
    piece.regions++;
    return piece;
  }

  /** One region less; true when that was the last one in it. */
  boolean release(Piece piece) {
    if (--piece.regions > 0) {
      return false;
    }
    byMemory.remove(piece.memory);
    byNumber.remove(piece.number);
    return true;
  }

  @Nullable
  Piece find(long number) {
    return byNumber.get(number);
  }
}
