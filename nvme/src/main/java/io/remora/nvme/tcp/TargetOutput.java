package io.remora.nvme.tcp;

import io.remora.base.Buffer;
import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;

/**
 * What a connection has to send: headers in a ring, data where it lies, gathered so that one system call takes all. Belongs to the
 * connection's loop.
 *
 * <p>Invariant: no more than half of the ring is unsent, since the headers of all command slots together take no more. So the
 * ring needs no account of what is free.
 */
final class TargetOutput {
  private final Buffer buffer;
  private final MemorySegment ring;
  private final Sgl list = new Sgl();
  private int next;
  private long queued;
  private long sent;

  TargetOutput(Buffer buffer) {
    this.buffer = buffer;
    this.ring = buffer.segment();
  }

  MemorySegment ring() {
    return ring;
  }

  /** Queues {@code length} bytes of the ring, to be filled in by the caller before the next {@link #send}; gives their place. */
  long header(int length) {
    if (next + length > ring.byteSize()) {
      next = 0;
    }
    int at = next;
    next += length;
    list.append(ring, at, length);
    queued += length;
    return at;
  }

  /** Queues {@code length} bytes of data, which must stay until they are sent. */
  void data(Sgl data, long length) {
    list.addRange(data, 0, length);
    queued += length;
  }

  boolean isEmpty() {
    return queued == sent;
  }

  /** How much was queued so far, in bytes. */
  long queued() {
    return queued;
  }

  /** How much was sent so far, in bytes. */
  long sent() {
    return sent;
  }

  /** Sends what the socket takes; false when the connection has ended. */
  boolean send(StreamSocket socket) {
    long count = socket.write(list);
    if (count > 0) {
      list.consume(count);
      sent += count;
    }
    return count >= 0;
  }

  /** Gives the ring back; nothing is sent any more. */
  void free() {
    list.clear();
    buffer.release();
  }
}
