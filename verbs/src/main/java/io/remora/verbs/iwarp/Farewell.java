package io.remora.verbs.iwarp;

import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.lang.foreign.MemorySegment;

/**
 * Ends a stream in order: sends what is left, then the end of the stream, and gives the other end a moment to do the same. What still comes is thrown away, because a connection
 * closed with unread bytes in it would be reset, and the last words with it. Belongs to its context's loop.
 */
final class Farewell {
  private static final long LINGER_NS = 3_000_000_000L;
  private static final int READS_PER_TURN = 16;

  private final IwarpContext context;
  private final StreamSocket socket;
  private final MemorySegment buffer;
  private final Sgl unsent = new Sgl();
  private final Timer limit;
  private final Timer readOn;
  private boolean shut;
  /** The other end has ended its stream. */
  private boolean ended;
  private boolean done;

  /** Begins. {@code buffer} is of the context's frame buffers and goes back to them; its first {@code length} bytes are to be sent. */
  Farewell(IwarpContext context, StreamSocket socket, MemorySegment buffer, int length) {
    this.context = context;
    this.socket = socket;
    this.buffer = buffer;
    this.limit = context.loop().timer(this::drop);
    this.readOn = context.loop().timer(this::onReadable);
    unsent.add(buffer, 0, length);
    context.opened(this);
    limit.arm(LINGER_NS);
    onWritable();
    if (!done) {
      readOn.arm(0);
    }
  }

  /** Begins, with {@code lastWords}, which fit into a frame. */
  static Farewell saying(byte[] lastWords, IwarpContext context, StreamSocket socket) {
    MemorySegment buffer = context.takeFrameBuffer();
    MemorySegment.copy(MemorySegment.ofArray(lastWords), 0, buffer, 0, lastWords.length);
    return new Farewell(context, socket, buffer, lastWords.length);
  }

  void onWritable() {
    if (done || shut) {
      return;
    }
    if (unsent.totalBytes() > 0) {
      long taken = socket.write(unsent);
      if (taken < 0) {
        drop();
        return;
      }
      unsent.consume(taken);
    }
    if (unsent.totalBytes() == 0) {
      shut = true;
      socket.shutdownOutput();
      if (ended) {
        drop();
      }
    }
  }

  void onReadable() {
    if (done) {
      return;
    }
    MemorySegment staging = context.staging();
    for (int i = 0; i < READS_PER_TURN; i++) {
      long count = socket.read(staging, 0, staging.byteSize());
      if (count == 0) {
        return;
      }
      if (count < 0) {
        ended = true;
        if (shut || !socket.closeReason().isOk()) {
          drop();
        }
        return;
      }
    }
    readOn.arm(0);
  }

  /** Ends it now. */
  void drop() {
    if (!done) {
      done = true;
      limit.cancel();
      readOn.cancel();
      unsent.clear();
      socket.close();
      context.closed(this, buffer);
    }
  }
}
