package io.remora.base.linux;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.net.InetSocketAddress;

/** A listening TCP socket of one {@link LinuxLoop}. */
final class TcpListener extends Watched implements StreamListener {
  private static final int MAX_ACCEPTS_PER_TURN = 128;
  private static final long RETRY_NS = 100_000_000L;
  private static final System.Logger LOG = System.getLogger("io.remora.base");

  private final LinuxLoop loop;
  private final LinuxNet net;
  private final Libc libc;
  private final InetSocketAddress address;
  private final Acceptor acceptor;
  private final Timer again;
  private boolean shortOfFiles;
  private boolean closed;

  TcpListener(LinuxLoop loop, LinuxNet net, int fd, InetSocketAddress address, Acceptor acceptor) {
    super(fd);
    this.loop = loop;
    this.net = net;
    this.libc = loop.libc();
    this.address = address;
    this.acceptor = acceptor;
    this.again = loop.timer(this::accept);
  }

  @Override
  public InetSocketAddress localAddress() {
    return address;
  }

  @Override
  public void close() {
    assert loop.inLoop();
    if (!closed) {
      closed = true;
      again.cancel();
      loop.poller().unwatch(this);
      libc.close(fd);
    }
  }

  @Override
  void onLoopClosed() {
    close();
  }

  @Override
  void onEvents(int events) {
    if (!again.armed()) {
      accept();
    }
  }

  @Override
  public String toString() {
    return "listener on " + Addresses.format(address);
  }

  /** Takes what has come in. The kernel tells of an arrival once, so whoever stops early has to come back by itself. */
  private void accept() {
    for (int i = 0; i < MAX_ACCEPTS_PER_TURN && !closed; i++) {
      int result = libc.accept4(fd, net.address().address(), net.addressLength(SocketAddresses.BYTES),
          Abi.SOCK_NONBLOCK | Abi.SOCK_CLOEXEC);
      if (result >= 0) {
        shortOfFiles = false;
        accepted(result);
        continue;
      }
      switch (-result) {
        case Errno.EAGAIN -> {
          return;
        }
        case Errno.EMFILE, Errno.ENFILE, Errno.ENOBUFS, Errno.ENOMEM -> {
          shortOf(-result);
          return;
        }
        case Errno.EBADF, Errno.EINVAL, Errno.EOPNOTSUPP -> throw Errno.socket("accept on " + address, -result);
        // The fate of one connection (aborted, unreachable by now) is no reason to leave the next one waiting.
        default -> {
        }
      }
    }
    if (!closed) {
      again.arm(0);
    }
  }

  private void accepted(int socket) {
    net.set(socket, Abi.IPPROTO_TCP, Abi.TCP_NODELAY, 1);
    Connection connection = new Connection(socket, SocketAddresses.read(net.address()));
    try {
      acceptor.onAccept(connection);
    } catch (RuntimeException | Error e) {
      loop.failed(e);
      connection.close();
    }
  }

  private void shortOf(int errno) {
    if (!shortOfFiles) {
      shortOfFiles = true;
      LOG.log(System.Logger.Level.WARNING, "{0} takes no connections for now: {1}", this, Errno.text(errno));
    }
    again.arm(RETRY_NS);
  }

  /** A connection between its listener and the loop that will own it. */
  static final class Connection implements Accepted {
    private final int fd;
    private final InetSocketAddress remote;
    private boolean used;

    Connection(int fd, InetSocketAddress remote) {
      this.fd = fd;
      this.remote = remote;
    }

    @Override
    public InetSocketAddress remoteAddress() {
      return remote;
    }

    @Override
    public StreamSocket attach(Loop owner, StreamSocket.Handler handler) {
      Check.that(!used, "the connection from %s was attached or closed already", remote);
      Check.that(owner.inLoop(), "a connection is attached on the loop that will own it");
      used = true;
      LinuxLoop target = (LinuxLoop) owner;
      TcpSocket socket = new TcpSocket(target, (LinuxNet) target.net(), fd, remote, handler, false);
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
