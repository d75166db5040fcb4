package io.remora.base.linux;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/**
 * A TCP connection of one {@link LinuxLoop}.
 *
 * <p>The kernel reports edges; the handler hears of one only when it waits for it: {@code readArmed} after a read gave 0,
 * {@code writeArmed} after a write took less than it got. A read that came back short has emptied the socket, so the next one gives
 * 0 without asking the kernel, unless an event came in between or the end of the stream is known to follow.
 */
final class TcpSocket extends Watched implements StreamSocket {
  private enum State {
    CONNECTING,
    OPEN,
    /** Ended by the peer or the network; only {@link #close} is left. */
    ENDED,
    CLOSED
  }

  private final LinuxLoop loop;
  private final LinuxNet net;
  private final Libc libc;
  private final Handler handler;
  private final InetSocketAddress remote;
  private final InetSocketAddress local;
  private State state;
  private Status reason = Status.OK;
  private boolean readArmed = true;
  private boolean writeArmed;
  private boolean drained;
  private boolean endSeen;
  private boolean outputShut;

  TcpSocket(LinuxLoop loop, LinuxNet net, int fd, InetSocketAddress remote, Handler handler, boolean connecting) {
    super(fd);
    this.loop = loop;
    this.net = net;
    this.libc = loop.libc();
    this.remote = remote;
    this.local = net.localAddress(fd);
    this.handler = handler;
    this.state = connecting ? State.CONNECTING : State.OPEN;
  }

  /** Starts to listen to the kernel. */
  void begin() {
    try {
      loop.poller().watch(this);
    } catch (RemoraException e) {
      refused(e.status());
    }
  }

  /** The kernel would not even try to connect; the handler hears it at the end of the turn. */
  void refused(Status why) {
    loop.defer(() -> failed(why));
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public InetSocketAddress localAddress() {
    return local;
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return remote;
  }

  @Override
  public long read(MemorySegment target, long offset, long length) {
    assert loop.inLoop();
    assert length > 0 && target.isNative() && offset >= 0 && offset + length <= target.byteSize();
    if (state == State.ENDED || state == State.CLOSED) {
      return CLOSED;
    }
    if (drained || state == State.CONNECTING) {
      readArmed = true;
      return 0;
    }
    // Once the kernel has told of the end, its reason is what matters and not what the call allocates.
    long count = endSeen ? -1 : libc.tryRecv(fd, target.address() + offset, length, 0);
    if (count > 0) {
      drained = count < length;
      return count;
    }
    if (count == 0) {
      return CLOSED;
    }
    if (hasNothing()) {
      readArmed = true;
      return 0;
    }
    count = libc.recv(fd, target.address() + offset, length, 0);
    while (count == -Errno.EINTR) {
      count = libc.recv(fd, target.address() + offset, length, 0);
    }
    return secondRead(count, length);
  }

  @Override
  public long read(Sgl target) {
    assert loop.inLoop();
    assert target.totalBytes() > 0;
    if (state == State.ENDED || state == State.CLOSED) {
      return CLOSED;
    }
    if (drained || state == State.CONNECTING) {
      readArmed = true;
      return 0;
    }
    long count = endSeen ? -1 : net.tryReceive(fd, target);
    if (count > 0) {
      drained = count < net.gatheredBytes();
      return count;
    }
    if (count == 0) {
      return CLOSED;
    }
    if (hasNothing()) {
      readArmed = true;
      return 0;
    }
    return secondRead(net.receive(fd, target), net.gatheredBytes());
  }

  /** Whether a read failed for want of anything to read, asked without the error number, which costs an object. */
  private boolean hasNothing() {
    return !endSeen && !net.hasEvents(fd, Abi.POLLIN | Abi.POLLRDHUP);
  }

  /**
   * Finds out why a read failed, of another one that gave {@code count}. The first may have taken the error of a connection that has just broken with it: the second
   * then says that the stream has ended, as it does when the peer has closed in order meanwhile.
   */
  private long secondRead(long count, long length) {
    if (count > 0) {
      drained = count < length && !endSeen;
      return count;
    }
    if (count == -Errno.EAGAIN) {
      readArmed = true;
      return 0;
    }
    if (count < 0) {
      end(Errno.ofSocket((int) -count));
    } else if (!endSeen && !outputShut && !net.hasPeer(fd)) {
      end(Status.DISCONNECTED);
    }
    // An orderly end leaves our direction open.
    return CLOSED;
  }

  @Override
  public long write(Sgl source) {
    assert loop.inLoop();
    if (state == State.ENDED || state == State.CLOSED) {
      return CLOSED;
    }
    if (state == State.CONNECTING) {
      writeArmed = true;
      return 0;
    }
    long total = source.totalBytes();
    long taken = 0;
    while (taken < total) {
      long count = net.trySend(fd, source, taken);
      if (count < 0) {
        count = net.hasEvents(fd, Abi.POLLOUT) ? net.sendAgain(fd) : -Errno.EAGAIN;
      }
      if (count >= 0) {
        taken += count;
        if (count < net.gatheredBytes()) {
          // The kernel has no more room, and tells when it has.
          writeArmed = true;
          return taken;
        }
      } else if (count == -Errno.EAGAIN) {
        writeArmed = true;
        return taken;
      } else if (count == -Errno.ENOBUFS || count == -Errno.ENOMEM) {
        return outOfMemory(taken);
      } else if (count != -Errno.EINTR) {
        end(Errno.ofSocket((int) -count));
        return CLOSED;
      }
    }
    return taken;
  }

  @Override
  public Status closeReason() {
    return reason;
  }

  @Override
  public void shutdownOutput() {
    assert loop.inLoop();
    if (state == State.OPEN) {
      outputShut = true;
      libc.shutdown(fd, Abi.SHUT_WR);
    }
  }

  @Override
  public StreamListener.Accepted detach() {
    assert loop.inLoop();
    Check.that(state == State.OPEN || state == State.ENDED, "only a connection that stands can move to another loop");
    state = State.CLOSED;
    loop.poller().unwatch(this);
    return new TcpListener.Connection(fd, remote);
  }

  @Override
  public void reset() {
    assert loop.inLoop();
    if (state != State.CLOSED) {
      // Of a descriptor that there is not, the kernel takes no option.
      net.abortOnClose(fd);
      close();
    }
  }

  @Override
  public void close() {
    assert loop.inLoop();
    if (state != State.CLOSED) {
      state = State.CLOSED;
      loop.poller().unwatch(this);
      if (fd >= 0) {
        libc.close(fd);
      }
    }
  }

  @Override
  void onLoopClosed() {
    close();
  }

  @Override
  void onEvents(int events) {
    try {
      dispatch(events);
    } catch (Throwable e) {
      // A handler in the middle of nowhere would leave the peer waiting for ever.
      loop.failed(e);
      failed(Status.INTERNAL);
    }
  }

  private void dispatch(int events) {
    if (state == State.CONNECTING) {
      connected(events);
      if (state != State.OPEN) {
        return;
      }
    }
    boolean hungUp = (events & (Abi.POLLERR | Abi.POLLHUP)) != 0;
    if (hungUp || (events & (Abi.POLLIN | Abi.POLLRDHUP)) != 0) {
      endSeen |= hungUp || (events & Abi.POLLRDHUP) != 0;
      drained = false;
      if (readArmed) {
        readArmed = false;
        handler.onReadable();
      }
    }
    if ((hungUp || (events & Abi.POLLOUT) != 0) && writeArmed && state == State.OPEN) {
      writeArmed = false;
      handler.onWritable();
    }
    if (hungUp && state == State.OPEN) {
      // Whoever neither reads nor writes now has to be told.
      int error = net.takeError(fd);
      if (error != 0) {
        failed(Errno.ofSocket(error));
      }
    }
  }

  @Override
  public String toString() {
    return "tcp to " + remote + " " + state;
  }

  private void connected(int events) {
    if ((events & (Abi.POLLOUT | Abi.POLLERR | Abi.POLLHUP)) == 0) {
      return;
    }
    int error = net.takeError(fd);
    if (error != 0) {
      failed(Errno.ofSocket(error));
    } else if ((events & Abi.POLLOUT) != 0) {
      state = State.OPEN;
      handler.onConnected();
    }
  }

  /** The kernel is short of memory, of which no event will tell the end: tries again a little later. */
  private long outOfMemory(long taken) {
    writeArmed = true;
    loop.timer(() -> onEvents(Abi.POLLOUT)).arm(1_000_000);
    return taken;
  }

  private void end(Status why) {
    if (state != State.CLOSED) {
      state = State.ENDED;
      reason = why;
    }
  }

  private void failed(Status why) {
    if (state == State.CONNECTING || state == State.OPEN) {
      end(why);
      handler.onClosed(why);
    }
  }
}
