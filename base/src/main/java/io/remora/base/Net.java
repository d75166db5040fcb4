package io.remora.base;

import java.net.InetSocketAddress;

/** The network as one loop sees it. All addresses are resolved: this floor asks no name server. */
public interface Net {
  /**
   * Listens for stream connections (TCP) at {@code address}; port 0 picks a free one.
   *
   * @throws RemoraException {@link Status#EXISTS} when the address is in use, {@link Status#DENIED} when it needs a
   *     privilege, {@link Status#INVALID} when it is none of this machine's
   */
  StreamListener listen(InetSocketAddress address, StreamListener.Acceptor acceptor);

  /**
   * Begins to connect to {@code address}. The handler hears {@code onConnected} or {@code onClosed}, never before this method
   * has returned. There is no time-out but the kernel's: arm a timer and close the socket.
   */
  StreamSocket connect(InetSocketAddress address, StreamSocket.Handler handler);

  /**
   * Opens a datagram socket (UDP) bound to {@code address}; port 0 picks a free one.
   *
   * @throws RemoraException as {@link #listen}
   */
  DatagramSocket bind(InetSocketAddress address, DatagramSocket.Handler handler);
}
