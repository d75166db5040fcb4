package io.remora.base;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Messages between processes of this machine and this user without a connection: whole, in order per sender, lost when the receiver's queue is full. Belongs to one loop; never blocks.
 */
public interface LocalDatagrams extends AutoCloseable {
  /** Returned by {@link #receive} when there is none, and by {@link #send} when nobody has that name. */
  int NONE = -1;

  /** Where arrivals are told, on the loop. */
  interface Handler {
    /** There is something to receive: read until {@link #receive} returns {@link #NONE}. */
    void onReadable();
  }

  /**
   * Receives one datagram.
   *
   * @return its length, cut to {@code length}; {@link #NONE}
   */
  int receive(MemorySegment target, long offset, int length);

  /** The name of the socket that the last datagram came from, as the kernel knows it; null when it has none. */
  @Nullable
  String sender();

  /**
   * Sends one datagram of 1 to {@link Local#MAX_MESSAGE_BYTES} bytes to the socket of that name.
   *
   * @return {@code length}; 0 when the receiver's queue is full, and the datagram is lost; {@link #NONE}
   */
  int send(MemorySegment source, long offset, int length, String to);

  /** Closes it and frees its name. Idempotent. */
  @Override
  void close();
}
