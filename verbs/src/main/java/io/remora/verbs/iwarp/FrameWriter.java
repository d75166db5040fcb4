package io.remora.verbs.iwarp;

import io.remora.base.Crc32c;
import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import io.remora.verbs.soft.Pieces;
import io.remora.verbs.soft.SendSlot;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The frames that a connection has begun to send and TCP has not taken yet. Belongs to its connection's loop; allocates nothing per frame.
 *
 * <p>Headers, trailers and short payloads are written into a small ring, where those of frames that follow each other lie side by side and leave as one piece; longer payload is gathered
 * from where it is. Whoever owns that memory must be asked again ({@link #slot}, {@link #source}) before a later turn goes on with it.
 */
final class FrameWriter {
  /** The ring's size in bytes. */
  static final int RING_BYTES = 16 << 10;
  /** Frames that may be under way; a power of two. */
  private static final int MAX_FRAMES = 256;
  /** With so many bytes waiting, no more frames are begun, in bytes. The kernel moves a long stream faster the more of it each call brings: a quarter of this costs a seventh of the speed. */
  private static final int BATCH_BYTES = 1 << 20;
  /** Payload up to this length is copied beside its header, in bytes: cheaper than a piece of its own. */
  private static final int COPY_BYTES = 256;
  /** The most that one frame takes of the ring, in bytes. */
  private static final int MOST_BYTES = Rdmap.MAX_HEADER_BYTES + COPY_BYTES + 3 + Fpdu.CRC_BYTES;

  /** Hears what TCP has taken. */
  interface Owner {
    /** The last byte of a message is TCP's now: of a request's, or of an answer's when {@code slot} is null. */
    void onTaken(@Nullable SendSlot slot);
  }

  private final MemorySegment ring;
  private final Owner owner;
  private final Sgl unsent = new Sgl();
  private final long[] streamEnds = new long[MAX_FRAMES];
  private final long[] ringEnds = new long[MAX_FRAMES];
  private final boolean[] ends = new boolean[MAX_FRAMES];
  private final boolean[] gathered = new boolean[MAX_FRAMES];
  private final @Nullable SendSlot[] slots = new SendSlot[MAX_FRAMES];
  private final Answers.@Nullable Answer[] sources = new Answers.Answer[MAX_FRAMES];
  private int first;
  private int count;
  /** Counts of bytes since the beginning: of the stream, and of the ring with what was skipped at its end. */
  private long appended;
  private long taken;
  private long firstBegins;
  private long ringHead;
  private long ringTail;
  private @Nullable Crc32c crc;

  /** {@code ring} is this writer's, native, of {@link #RING_BYTES}. */
  FrameWriter(MemorySegment ring, Owner owner) {
    this.ring = ring;
    this.owner = owner;
  }

  /** Frames carry checksums from now on. */
  void checksums() {
    crc = new Crc32c();
  }

  /** Where headers are written. */
  MemorySegment ring() {
    return ring;
  }

  /** What TCP has not taken, in bytes. */
  long unsentBytes() {
    return unsent.totalBytes();
  }

  /** Whether two more frames may be begun now: the ring has room for both, and for what the end of the ring is too short for. */
  boolean room() {
    return count < MAX_FRAMES - 1 && unsent.totalBytes() < BATCH_BYTES
        && RING_BYTES - (ringHead - ringTail) >= 3 * MOST_BYTES;
  }

  /** Where in {@link #ring} the header of the next frame goes; then one of the methods that add it. */
  long header() {
    long at = ringHead & RING_BYTES - 1;
    if (RING_BYTES - at < MOST_BYTES) {
      ringHead += RING_BYTES - at;
      at = 0;
    }
    return at;
  }

  /** Adds a frame without payload, whose header of {@code headerBytes} bytes is at {@code at}; {@code end}: the last of its message. */
  void add(long at, int headerBytes, @Nullable SendSlot slot, Answers.@Nullable Answer source, boolean end) {
    unsent.append(ring, at, headerBytes);
    if (crc != null) {
      crc.reset();
    }
    finish(at, headerBytes, headerBytes, slot, source, end, false);
  }

  /** Adds a frame with {@code length} bytes of {@code slot}'s memory from {@code from} on. */
  void add(long at, int headerBytes, SendSlot slot, long from, int length, boolean end) {
    Pieces pieces = slot.pieces();
    if (length <= COPY_BYTES) {
      pieces.copyTo(from, ring, at + headerBytes, length);
      add(at, headerBytes + length, slot, null, end);
      return;
    }
    unsent.append(ring, at, headerBytes);
    pieces.addTo(unsent, from, length);
    if (crc != null) {
      crc.reset();
      crc.update(ring, at, headerBytes);
      sum(crc, pieces, from, length);
    }
    finish(at, headerBytes, headerBytes + length, slot, null, end, true);
  }

  /** Adds a frame with {@code length} bytes at {@code offset} of {@code memory}, the peer's to read as {@code source} says. */
  void add(long at, int headerBytes, Answers.Answer source, MemorySegment memory, long offset, int length,
      boolean end) {
    if (length <= COPY_BYTES) {
      MemorySegment.copy(memory, offset, ring, at + headerBytes, length);
      add(at, headerBytes + length, null, source, end);
      return;
    }
    unsent.append(ring, at, headerBytes);
    unsent.add(memory, offset, length);
    if (crc != null) {
      crc.reset();
      crc.update(ring, at, headerBytes);
      sum(crc, memory, offset, length);
    }
    finish(at, headerBytes, headerBytes + length, null, source, end, true);
  }

  /** Adds pad and checksum. {@code inRing} bytes are at {@code at}, of {@code bytes} in all; of those in the ring alone the checksum is still to be made. */
  private void finish(long at, int inRing, int bytes, @Nullable SendSlot slot, Answers.@Nullable Answer source,
      boolean end,
      boolean payload) {
    int pad = -bytes & 3;
    long trailer = at + inRing;
    for (int i = 0; i < pad; i++) {
      ring.set(ValueLayout.JAVA_BYTE, trailer + i, (byte) 0);
    }
    int sum = 0;
    if (crc != null) {
      if (payload) {
        crc.update(ring, trailer, pad);
      } else {
        crc.update(ring, at, inRing + pad);
      }
      sum = crc.value();
    }
    ring.set(Fpdu.LE32, trailer + pad, sum);
    unsent.append(ring, trailer, pad + Fpdu.CRC_BYTES);
    ringHead += inRing + pad + Fpdu.CRC_BYTES;
    appended += bytes + pad + Fpdu.CRC_BYTES;
    int index = first + count & MAX_FRAMES - 1;
    streamEnds[index] = appended;
    ringEnds[index] = ringHead;
    slots[index] = slot;
    sources[index] = source;
    ends[index] = end;
    gathered[index] = payload;
    count++;
  }

  private static void sum(Crc32c crc, Pieces pieces, long from, int length) {
    long skip = from;
    long left = length;
    for (int i = 0; left > 0; i++) {
      long piece = pieces.length(i);
      if (skip >= piece) {
        skip -= piece;
        continue;
      }
      long take = Math.min(left, piece - skip);
      sum(crc, pieces.segment(i), pieces.offset(i) + skip, take);
      left -= take;
      skip = 0;
    }
  }

  private static void sum(Crc32c crc, MemorySegment memory, long offset, long length) {
    if (memory.byteSize() <= Integer.MAX_VALUE) {
      crc.update(memory, offset, length);
    } else {
      // The JDK sums up buffers, which end at 2 GiB.
      crc.update(memory.asSlice(offset, length), 0, length);
    }
  }

  /** Hands TCP what it takes, and returns how much that is, in bytes, or {@link StreamSocket#CLOSED}. */
  long flush(StreamSocket socket) {
    long bytes = unsent.totalBytes() == 0 ? 0 : socket.write(unsent);
    if (bytes > 0) {
      unsent.consume(bytes);
      taken += bytes;
      release();
    }
    return bytes;
  }

  private void release() {
    while (count > 0 && streamEnds[first] <= taken) {
      SendSlot slot = slots[first];
      boolean end = ends[first];
      firstBegins = streamEnds[first];
      ringTail = ringEnds[first];
      slots[first] = null;
      sources[first] = null;
      first = first + 1 & MAX_FRAMES - 1;
      count--;
      if (end) {
        owner.onTaken(slot);
      }
    }
  }

  /** The number of frames that TCP has not taken as a whole. */
  int frames() {
    return count;
  }

  /** The request whose memory frame {@code index} is gathered from, or null. */
  @Nullable
  SendSlot slot(int index) {
    int at = first + index & MAX_FRAMES - 1;
    return gathered[at] ? slots[at] : null;
  }

  /** The answer whose memory frame {@code index} is gathered from, or null. */
  Answers.@Nullable Answer source(int index) {
    int at = first + index & MAX_FRAMES - 1;
    return gathered[at] ? sources[at] : null;
  }

  /**
   * Forgets all frames, but for the rest of one of which TCP has taken a part: that is copied to {@code target}, which has room for a frame, and its length returned. After that no
   * memory of requests is touched any more.
   */
  int abandon(MemorySegment target) {
    int rest = 0;
    if (count > 0 && taken > firstBegins) {
      rest = (int) (streamEnds[first] - taken);
      unsent.copyTo(0, target, 0, rest);
    }
    clear();
    return rest;
  }

  /** Forgets all frames. */
  void clear() {
    unsent.clear();
    for (int i = 0; i < MAX_FRAMES; i++) {
      slots[i] = null;
      sources[i] = null;
    }
    count = 0;
  }
}
