package io.remora.base.linux;

import io.remora.base.Check;
import io.remora.base.Local;
import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;

/** A connection to a process of this machine: a unix socket of packets, of one {@link LinuxLoop}. */
final class UnixSocket extends Watched implements LocalSocket {
  private static final int[] NONE = {};

  private final LinuxLoop loop;
  private final LinuxLocal local;
  private final Libc libc;
  private final LinuxLocal.Peer peer;
  private final Handler handler;
  private int[] descriptors = NONE;
  private int next;
  private boolean ended;
  private boolean closed;

  UnixSocket(LinuxLoop loop, LinuxLocal local, int fd, LinuxLocal.Peer peer, Handler handler) {
    super(fd);
    this.loop = loop;
    this.local = local;
    this.libc = loop.libc();
    this.peer = peer;
    this.handler = handler;
  }

  /** The kernel has connected it, which it does at once, or refused to; the handler hears it at the end of the turn. */
  void connected(int result) {
    Status status = result >= 0 ? peer.user() == local.user() ? Status.OK : Status.DENIED : switch (-result) {
      case Errno.ECONNREFUSED, Errno.ENOENT -> Status.NOT_FOUND;
      default -> Errno.ofSocket(-result);
    };
    ended = !status.isOk();
    loop.defer(() -> tellConnected(status));
  }

  private void tellConnected(Status status) {
    if (closed) {
      return;
    }
    if (!status.isOk()) {
      handler.onClosed(status);
      return;
    }
    handler.onConnected();
    if (!closed && slot < 0) {
      begin();
    }
  }

  void begin() {
    try {
      loop.poller().watch(this);
    } catch (RemoraException e) {
      ended = true;
      handler.onClosed(e.status());
    }
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public int peerProcess() {
    return peer.process();
  }

  @Override
  public int receive(MemorySegment target, long offset, int length) {
    assert loop.inLoop();
    assert length > 0 && target.isNative() && offset >= 0 && offset + length <= target.byteSize();
    closeDescriptors();
    if (closed || ended) {
      return CLOSED;
    }
    UnixMessage message = local.message();
    long result = message.receive(fd, target.address() + offset, length);
    while (result == -Errno.EINTR) {
      result = message.receive(fd, target.address() + offset, length);
    }
    if (result == -Errno.EAGAIN || result == -Errno.ENOMEM || result == -Errno.ENOBUFS) {
      return 0;
    }
    if (result <= 0) {
      ended = true;
      return CLOSED;
    }
    takeDescriptors(message);
    return (int) result;
  }

  @Override
  public int takeDescriptor() {
    return next < descriptors.length ? descriptors[next++] : -1;
  }

  @Override
  public int send(MemorySegment source, long offset, int length) {
    return send(source, offset, length, NONE);
  }

  @Override
  public int send(MemorySegment source, long offset, int length, int[] passed) {
    assert loop.inLoop();
    Check.argument(length >= 1 && length <= Local.MAX_MESSAGE_BYTES && passed.length <= MAX_DESCRIPTORS,
        "a message of %d bytes and %d descriptors", length, passed.length);
    assert source.isNative() && offset >= 0 && offset + length <= source.byteSize();
    if (closed || ended) {
      return CLOSED;
    }
    if (passed.length == 0 && libc.trySend(fd, source.address() + offset, length, Abi.MSG_NOSIGNAL) == length) {
      return length;
    }
    long result = local.message().send(fd, source.address() + offset, length, passed);
    return switch ((int) result) {
      case -Errno.EAGAIN, -Errno.EINTR, -Errno.ENOBUFS, -Errno.ENOMEM -> 0;
      default -> result > 0 ? length : CLOSED;
    };
  }

  @Override
  public LocalListener.Accepted detach() {
    assert loop.inLoop();
    Check.that(!closed, "%s is closed", this);
    closed = true;
    closeDescriptors();
    loop.poller().unwatch(this);
    return new Unattached(fd, peer);
  }

  @Override
  public void close() {
    assert loop.inLoop();
    if (!closed) {
      closed = true;
      closeDescriptors();
      if (fd >= 0) {
        loop.poller().unwatch(this);
        libc.close(fd);
      }
    }
  }

  @Override
  void onLoopClosed() {
    close();
  }

  @Override
  int interest() {
    // Room to write is of no interest: whoever reads what was sent would wake this end by it.
    return Abi.POLLIN | Abi.POLLRDHUP;
  }

  @Override
  void onEvents(int events) {
    try {
      handler.onReadable();
    } catch (Throwable e) {
      loop.failed(e);
      if (!closed) {
        ended = true;
        handler.onClosed(Status.INTERNAL);
      }
    }
  }

  @Override
  public String toString() {
    return "local socket to process " + peer.process();
  }

  private void takeDescriptors(UnixMessage message) {
    int count = message.descriptors();
    if (count > 0) {
      descriptors = new int[count];
      for (int i = 0; i < count; i++) {
        descriptors[i] = message.descriptor(i);
      }
    }
  }

  private void closeDescriptors() {
    if (descriptors.length > 0) {
      for (int i = next; i < descriptors.length; i++) {
        libc.close(descriptors[i]);
      }
      descriptors = NONE;
      next = 0;
    }
  }

  /** A connection that belongs to no loop. */
  static final class Unattached implements LocalListener.Accepted {
    private final int fd;
    private final LinuxLocal.Peer peer;
    private boolean used;

    Unattached(int fd, LinuxLocal.Peer peer) {
      this.fd = fd;
      this.peer = peer;
    }

    @Override
    public int peerProcess() {
      return peer.process();
    }

    @Override
    public LocalSocket attach(Loop owner, Handler handler) {
      Check.that(!used, "the connection from process %d was attached or closed already", peer.process());
      Check.that(owner.inLoop(), "a connection is attached on the loop that will own it");
      used = true;
      LinuxLoop target = (LinuxLoop) owner;
      UnixSocket socket = new UnixSocket(target, (LinuxLocal) target.local(), fd, peer, handler);
      socket.begin();
      return socket;
    }

    @Override
    public void close() {
      if (!used) {
        used = true;
        new Libc().close(fd);
      }
    }
  }
}
