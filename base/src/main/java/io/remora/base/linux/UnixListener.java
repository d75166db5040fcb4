package io.remora.base.linux;

import io.remora.base.LocalListener;
import io.remora.base.Timer;

/** A listening unix socket of one {@link LinuxLoop}. Processes of other users are turned away. */
final class UnixListener extends Watched implements LocalListener {
  private static final int MAX_ACCEPTS_PER_TURN = 128;
  private static final long RETRY_NS = 100_000_000L;
  private static final System.Logger LOG = System.getLogger("io.remora.base");

  private final LinuxLoop loop;
  private final LinuxLocal local;
  private final Libc libc;
  private final String name;
  private final Acceptor acceptor;
  private final Timer again;
  private boolean shortOfFiles;
  private boolean strangersTold;
  private boolean closed;

  UnixListener(LinuxLoop loop, LinuxLocal local, int fd, String name, Acceptor acceptor) {
    super(fd);
    this.loop = loop;
    this.local = local;
    this.libc = loop.libc();
    this.name = name;
    this.acceptor = acceptor;
    this.again = loop.timer(this::accept);
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
    return "listener on local name " + name;
  }

  /** Takes what has come in. The kernel tells of an arrival once, so whoever stops early has to come back by itself. */
  private void accept() {
    for (int i = 0; i < MAX_ACCEPTS_PER_TURN && !closed; i++) {
      int result = libc.accept4(fd, 0, 0, Abi.SOCK_NONBLOCK | Abi.SOCK_CLOEXEC);
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
        case Errno.EBADF, Errno.EINVAL, Errno.EOPNOTSUPP -> throw Errno.socket("accept on " + this, -result);
        default -> {
        }
      }
    }
    if (!closed) {
      again.arm(0);
    }
  }

  private void accepted(int socket) {
    LinuxLocal.Peer peer = local.peer(socket);
    UnixSocket.Unattached connection = new UnixSocket.Unattached(socket, peer);
    if (peer.user() != local.user()) {
      if (!strangersTold) {
        strangersTold = true;
        LOG.log(System.Logger.Level.WARNING, "{0} turns away process {1} of user {2}; more of them are not told", this,
            Integer.toString(peer.process()), Integer.toString(peer.user()));
      }
      connection.close();
      return;
    }
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
}
