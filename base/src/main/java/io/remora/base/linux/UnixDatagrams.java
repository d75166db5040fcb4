package io.remora.base.linux;

import io.remora.base.Check;
import io.remora.base.Local;
import io.remora.base.LocalDatagrams;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A unix socket of datagrams of one {@link LinuxLoop}. Those of other users are dropped. */
final class UnixDatagrams extends Watched implements LocalDatagrams {
  private static final int MAX_DROPPED = 256;

  private final LinuxLoop loop;
  private final LinuxLocal local;
  private final Libc libc;
  private final String name;
  private final Handler handler;
  private @Nullable String sender;
  private boolean closed;

  UnixDatagrams(LinuxLoop loop, LinuxLocal local, int fd, String name, Handler handler) {
    super(fd);
    this.loop = loop;
    this.local = local;
    this.libc = loop.libc();
    this.name = name;
    this.handler = handler;
  }

  @Override
  public int receive(MemorySegment target, long offset, int length) {
    assert loop.inLoop();
    assert length > 0 && target.isNative() && offset >= 0 && offset + length <= target.byteSize();
    UnixMessage message = local.message();
    for (int i = 0; i < MAX_DROPPED && !closed; i++) {
      long result = message.receive(fd, target.address() + offset, length);
      if (result == -Errno.EINTR) {
        continue;
      }
      if (result < 0) {
        return NONE;
      }
      for (int d = 0; d < message.descriptors(); d++) {
        libc.close(message.descriptor(d));
      }
      if (message.user() == local.user()) {
        sender = UnixNames.read(message.address(), message.addressBytes());
        return (int) result;
      }
    }
    if (!closed) {
      // A flood of strangers: the kernel tells of an arrival once, so come back by itself.
      loop.defer(() -> onEvents(Abi.POLLIN));
    }
    return NONE;
  }

  @Override
  public @Nullable String sender() {
    return sender;
  }

  @Override
  public int send(MemorySegment source, long offset, int length, String to) {
    assert loop.inLoop();
    Check.argument(length >= 1 && length <= Local.MAX_MESSAGE_BYTES, "a datagram of %d bytes", length);
    assert source.isNative() && offset >= 0 && offset + length <= source.byteSize();
    if (closed) {
      return NONE;
    }
    UnixMessage message = local.message();
    long result = message.send(fd, source.address() + offset, length, null, UnixNames.write(to, message.address()));
    return switch ((int) result) {
      case -Errno.EAGAIN, -Errno.EINTR, -Errno.ENOBUFS, -Errno.ENOMEM -> 0;
      default -> result > 0 ? length : NONE;
    };
  }

  @Override
  public void close() {
    assert loop.inLoop();
    if (!closed) {
      closed = true;
      loop.poller().unwatch(this);
      libc.close(fd);
    }
  }

  @Override
  void onLoopClosed() {
    close();
  }

  @Override
  int interest() {
    return Abi.POLLIN | Abi.POLLRDHUP;
  }

  @Override
  void onEvents(int events) {
    if (!closed) {
      try {
        handler.onReadable();
      } catch (Throwable e) {
        loop.failed(e);
      }
    }
  }

  @Override
  public String toString() {
    return "datagrams of local name " + name;
  }
}
