package io.remora.nvme.tcp;

import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The end of a connection whose controller broke the protocol: the TermReq is sent, what still comes is thrown away (a socket
 * that is closed over unread bytes would be reset, and the TermReq lost), until the controller closes or time is up. Lives on the
 * link's loop and frees the link's memory when it is over.
 */
final class HostTcpFarewell {
  private static final long PATIENCE_NS = 1_000_000_000L;

  private final StreamSocket socket;
  private final Sgl message;
  private final Arena memory;
  private final MemorySegment waste;
  private final Timer timer;
  private boolean said;
  private boolean over;

  HostTcpFarewell(Loop loop, StreamSocket socket, Sgl message, Arena memory, MemorySegment waste) {
    this.socket = socket;
    this.message = message;
    this.memory = memory;
    this.waste = waste;
    this.timer = loop.timer(this::end);
    timer.arm(PATIENCE_NS);
  }

  /** The socket takes data. */
  void onWritable() {
    while (!over && !said) {
      long count = socket.write(message);
      if (count < 0) {
        end();
        return;
      }
      boolean all = count == message.totalBytes();
      message.consume(count);
      if (all) {
        said = true;
        socket.shutdownOutput();
      } else {
        return;
      }
    }
  }

  /** The socket has data, or has ended. */
  void onReadable() {
    while (!over) {
      long count = socket.read(waste, 0, waste.byteSize());
      if (count == 0) {
        return;
      }
      if (count < 0) {
        end();
      }
    }
  }

  /** Closes the socket, if that has not been done. */
  void end() {
    if (!over) {
      over = true;
      timer.cancel();
      socket.close();
      memory.close();
    }
  }
}
