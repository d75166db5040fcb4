package io.remora.block.pool;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A page of metadata in memory: eight sectors as they are, or shall be, on the disk. Belongs to the pool's loop. It is written by
 * the disk's {@link PageWriter}, both copies at once, and never twice at the same time.
 *
 * <p>A page that was read and holds little is kept packed until somebody works with it, so that a sparse table of many terabytes
 * takes little memory: a map of the 16-byte pieces that are not zeros, then those pieces.
 */
final class Page {
  private static final int PIECE = 16;
  private static final int PIECES = Layout.PAGE_BYTES / PIECE;
  private static final int MAP_BYTES = PIECES / 8;
  private static final int WORDS = (Layout.ENTRIES_PER_PAGE + 63) / 64;

  final MetaArea area;
  final int index;
  private @Nullable MemorySegment image;
  private byte @Nullable [] packed;

  /** Sectors that differ from what was written last. */
  int dirtySectors;
  /** Whether somebody wants it written; a page may be dirty without. */
  boolean wanted;
  boolean queued;
  @Nullable
  Page nextQueued;
  PageWriter.@Nullable Slot writing;
  private @Nullable Waiters next;

  /** Entries that no completed write holds yet: those that wait, and those that are being written. */
  private long @Nullable [] fresh;
  private long @Nullable [] freshWriting;

  /** A page of zeros. */
  Page(MetaArea area, int index) {
    this.area = area;
    this.index = index;
  }

  /** What it holds, to work with. */
  MemorySegment image() {
    MemorySegment now = image;
    if (now == null) {
      now = area.memory();
      unpack(now);
      image = now;
      packed = null;
    }
    return now;
  }

  /** It holds {@code content} from now on, which is copied. */
  void load(MemorySegment content) {
    byte[] map = new byte[MAP_BYTES];
    int count = 0;
    for (int i = 0; i < PIECES; i++) {
      long at = (long) i * PIECE;
      if ((content.get(Layout.U64, at) | content.get(Layout.U64, at + 8)) != 0) {
        map[i >> 3] |= (byte) (1 << (i & 7));
        count++;
      }
    }
    if (image != null || count > PIECES / 2) {
      MemorySegment.copy(content, 0, image(), 0, Layout.PAGE_BYTES);
    } else {
      packed = pack(content, map, count);
    }
  }

  private static byte[] pack(MemorySegment content, byte[] map, int count) {
    byte[] bytes = Arrays.copyOf(map, MAP_BYTES + count * PIECE);
    int at = MAP_BYTES;
    for (int i = 0; i < PIECES; i++) {
      if ((map[i >> 3] & 1 << (i & 7)) != 0) {
        MemorySegment.copy(content, Layout.U8, (long) i * PIECE, bytes, at, PIECE);
        at += PIECE;
      }
    }
    return bytes;
  }

  private void unpack(MemorySegment into) {
    byte[] bytes = packed;
    int at = MAP_BYTES;
    for (int i = 0; bytes != null && i < PIECES; i++) {
      if ((bytes[i >> 3] & 1 << (i & 7)) != 0) {
        MemorySegment.copy(bytes, at, into, Layout.U8, (long) i * PIECE, PIECE);
        at += PIECE;
      }
    }
  }

  /** Those who wait for the content as it is now, if that is not being written yet. */
  Waiters next() {
    Waiters waiters = next;
    if (waiters == null) {
      waiters = new Waiters();
      next = waiters;
    }
    return waiters;
  }

  boolean settled() {
    return dirtySectors == 0 && writing == null;
  }

  /** Whether something that somebody relies on is not on the disk yet. */
  boolean inMotion() {
    return wanted || writing != null;
  }

  void setFresh(int entry) {
    long[] bits = fresh;
    if (bits == null) {
      bits = new long[WORDS];
      fresh = bits;
      freshWriting = new long[WORDS];
    }
    bits[entry >> 6] |= 1L << entry;
  }

  void clearFresh(int entry) {
    clear(fresh, entry);
    clear(freshWriting, entry);
  }

  /** Whether the entry waits to be written. */
  boolean isFresh(int entry) {
    return isSet(fresh, entry);
  }

  /** Whether the entry is being written for the first time. */
  boolean isFreshWriting(int entry) {
    return isSet(freshWriting, entry);
  }

  void beginFresh() {
    long[] from = fresh;
    long[] to = freshWriting;
    for (int i = 0; from != null && to != null && i < WORDS; i++) {
      to[i] |= from[i];
      from[i] = 0;
    }
  }

  void endFresh() {
    if (freshWriting != null) {
      Arrays.fill(freshWriting, 0);
    }
  }

  private static boolean isSet(long @Nullable [] bits, int entry) {
    return bits != null && (bits[entry >> 6] & 1L << entry) != 0;
  }

  private static void clear(long @Nullable [] bits, int entry) {
    if (bits != null) {
      bits[entry >> 6] &= ~(1L << entry);
    }
  }
}
