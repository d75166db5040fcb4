package io.remora.base;

import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/**
 * A stream (TCP) connection of one loop; never blocks. Nagle's algorithm is off.
 *
 * <p>Readiness is edge-triggered: after {@link Handler#onReadable} the socket stays readable until a {@code read} has returned
 * 0, and only then is the handler called again. Whoever stops reading earlier (to be fair, or for want of buffers) reads on by
 * itself later. The same goes for {@link #write} and {@link Handler#onWritable}.
 */
public interface StreamSocket extends AutoCloseable {
  /** Returned by {@code read} and {@link #write} when the connection has ended; {@link #closeReason} says why. */
  int CLOSED = -1;

  /**
   * What happens on the socket, on its loop. After {@link #close} or {@link #reset} nothing is called any more. A handler that throws
   * loses its connection: {@link #onClosed} comes with {@link Status#INTERNAL}; the loop and its other sockets go on.
   */
  interface Handler {
    /** A connection begun by {@link Net#connect} stands. */
    default void onConnected() {}

    /** There is something to read, or the end of the stream. */
    void onReadable();

    /** The socket takes data again after {@link #write} took less than it was given. */
    void onWritable();

    /**
     * The connection failed (refused, reset, unreachable) outside of a read or write. Called at most once; the owner still
     * has to call {@link #close}. An orderly end of the peer's stream comes as {@link #onReadable} with {@link #CLOSED}.
     */
    void onClosed(Status reason);
  }

  /** The loop that owns it. */
  Loop loop();

  /** This end. */
  InetSocketAddress localAddress();

  /** The other end. */
  InetSocketAddress remoteAddress();

  /**
   * Reads up to {@code length} bytes (at least 1) to {@code offset} of {@code target}, a native segment.
   *
   * @return the bytes read; 0 when there are none now; {@link #CLOSED}
   */
  long read(MemorySegment target, long offset, long length);

  /**
   * Reads into the pieces of {@code target}, native memory of at least 1 byte, from the front on as much as has come, by one system call where the socket has one for that. The list is
   * not changed.
   *
   * @return as {@link #read(MemorySegment, long, long)}
   */
  default long read(Sgl target) {
    long sum = 0;
    for (int i = 0; i < target.count(); i++) {
      long length = target.length(i);
      long count = read(target.segment(i), target.offset(i), length);
      if (count <= 0) {
        return sum > 0 ? sum : count;
      }
      sum += count;
      if (count < length) {
        return sum;
      }
    }
    return sum;
  }

  /**
   * Writes from the front of {@code source} as much as the socket takes. The list is not changed: drop what was taken with
   * {@link Sgl#consume}. The bytes are copied (by the kernel) before this returns, so their buffers are free then.
   *
   * @return the bytes taken, fewer than the list has when the socket is full; {@link #CLOSED}
   */
  long write(Sgl source);

  /** Why it ended: {@link Status#OK} while it has not, or after the orderly end of the peer's stream. */
  Status closeReason();

  /** Sends the end of our stream after what was written; reading goes on. */
  void shutdownOutput();

  /**
   * Takes the connection off this loop, to be attached to another one; what has come and was not read stays in it. Nothing is called any more, as after {@link #close}.
   *
   * @throws RemoraException {@link Status#UNSUPPORTED} for a socket that cannot move
   */
  default StreamListener.Accepted detach() {
    throw new RemoraException(Status.UNSUPPORTED, this + " cannot move to another loop");
  }

  /** Ends the connection abruptly: the peer sees a reset. Idempotent. */
  void reset();

  /** Ends the connection; what was written is still sent by the kernel. Idempotent. */
  @Override
  void close();
}
