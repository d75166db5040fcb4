package io.remora.base;

import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** A datagram (UDP) socket of one loop; never blocks. Edge-triggered as {@link StreamSocket}. */
public interface DatagramSocket extends AutoCloseable {
  /** Returned by {@link #receive} and {@link #send} when there is nothing to read or no room to send now. */
  int WOULD_BLOCK = -1;

  /** What happens on the socket, on its loop. */
  interface Handler {
    /** There is something to receive. */
    void onReadable();

    /** The socket takes datagrams again after {@link #send} returned {@link #WOULD_BLOCK}. */
    void onWritable();
  }

  /** A peer's address that is filled in without allocation. */
  final class Peer {
    /** IPv4 in the first 4 bytes, or IPv6 in all 16. */
    public final byte[] address = new byte[16];

    /** 4 or 16; 0 while unset. */
    public int addressBytes;

    /** 1..65535. */
    public int port;
  }

  /** The loop that owns it. */
  Loop loop();

  /** This end, with the port that was picked. */
  InetSocketAddress localAddress();

  /**
   * Receives one datagram to {@code offset} of {@code target}; what does not fit in {@code length} is dropped.
   *
   * @return its length in bytes as sent, so more than {@code length} when it was cut; {@link #WOULD_BLOCK}
   */
  int receive(MemorySegment target, long offset, long length, Peer from);

  /**
   * Sends one datagram. Like the network itself it may lose it without a word.
   *
   * @return the bytes sent, or {@link #WOULD_BLOCK}
   */
  int send(Sgl source, Peer to);

  /** Closes it. Idempotent. */
  @Override
  void close();
}
