package io.remora.verbs.iwarp;

import io.remora.base.RemoraException;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads an MPA Request or Reply off a socket, and not a byte more: what follows is a frame. Belongs to its connection's loop. */
final class MpaReader {
  private final boolean reply;
  private byte[] bytes = new byte[Mpa.HEAD_BYTES];
  private int have;
  private boolean closed;
  private boolean recognized;

  /** A reader of Replies, or of Requests. */
  MpaReader(boolean reply) {
    this.reply = reply;
  }

  /**
   * Goes on; null when more is to come, or will not come: {@link #closed}. {@code through} is any native memory for the head and 512 bytes.
   *
   * @throws RemoraException {@link io.remora.base.Status#PROTOCOL_ERROR} when it is not valid; {@link #recognized} tells whether it is one at all
   */
  @Nullable
  Mpa read(StreamSocket socket, MemorySegment through) {
    while (have < bytes.length) {
      long count = socket.read(through, 0, bytes.length - have);
      if (count <= 0) {
        closed = count < 0;
        return null;
      }
      MemorySegment.copy(through, ValueLayout.JAVA_BYTE, 0, bytes, have, (int) count);
      have += (int) count;
      if (have == Mpa.HEAD_BYTES) {
        int more = Mpa.dataBytes(MemorySegment.ofArray(bytes), reply);
        recognized = true;
        bytes = Arrays.copyOf(bytes, Mpa.HEAD_BYTES + more);
      }
    }
    return Mpa.parse(MemorySegment.ofArray(bytes), reply);
  }

  /** Whether the stream has ended before. */
  boolean closed() {
    return closed;
  }

  /** Whether key, revision and length are those of a Request or Reply: the other end will understand an answer. */
  boolean recognized() {
    return recognized;
  }
}
