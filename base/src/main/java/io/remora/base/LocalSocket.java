package io.remora.base;

import java.lang.foreign.MemorySegment;

/**
 * A connection to a process of this machine and this user, which carries whole messages, in order. Belongs to one loop; never blocks. The death of the other process ends it.
 *
 * <p>Readiness is edge-triggered: after {@link Handler#onReadable} read until {@link #receive} returns 0.
 */
public interface LocalSocket extends AutoCloseable {
  /** Returned by {@link #receive} and {@link #send} when the connection has ended. */
  int CLOSED = -1;

  /** The most descriptors that come with one message; more are closed. */
  int MAX_DESCRIPTORS = 8;

  /** What happens on the socket, on its loop. After {@link #close} nothing is called any more. */
  interface Handler {
    /** A connection begun by {@link Local#connect} stands. */
    default void onConnected() {}

    /** There is something to receive, or the end. */
    void onReadable();

    /** It could not be connected: {@link Status#NOT_FOUND} when nobody listens, {@link Status#DENIED} when that is another user, {@link Status#NO_RESOURCES} when too many wait there. */
    void onClosed(Status reason);
  }

  /** The loop that owns it. */
  Loop loop();

  /** The number of the other process, as it was when the connection was made. */
  int peerProcess();

  /**
   * Receives one message. Descriptors that the last one brought and nobody took are closed.
   *
   * @return its length; 0 when there is none now; {@link #CLOSED}. One that is longer than {@code length} comes cut off.
   */
  int receive(MemorySegment target, long offset, int length);

  /** A descriptor that came with the last message, in their order; it is the caller's to close. -1 when there are no more. */
  int takeDescriptor();

  /**
   * Sends one message of 1 to {@link Local#MAX_MESSAGE_BYTES} bytes.
   *
   * @return {@code length}; 0 when there is no room now; {@link #CLOSED}
   */
  int send(MemorySegment source, long offset, int length);

  /** As {@link #send(MemorySegment, long, int)}, with copies of {@code descriptors}, at most {@link #MAX_DESCRIPTORS}. */
  int send(MemorySegment source, long offset, int length, int[] descriptors);

  /** Takes it from its loop; the object means nothing any more. On the old loop; what has come and was not received comes on the new one. */
  LocalListener.Accepted detach();

  /** Ends the connection; the other end hears it after the messages that are under way. Idempotent. */
  @Override
  void close();
}
