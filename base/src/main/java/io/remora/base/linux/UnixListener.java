package io.remora.base.linux;

import io.remora.base.LocalListener;

/** A listening unix socket of one {@link LinuxLoop}. Processes of other users are turned away. */
final class UnixListener extends ListeningSocket implements LocalListener {
  private final LinuxLocal local;
  private final String name;
  private final Acceptor acceptor;
  private boolean strangersTold;

  UnixListener(LinuxLoop loop, LinuxLocal local, int fd, String name, Acceptor acceptor) {
    super(loop, fd);
    this.local = local;
    this.name = name;
    this.acceptor = acceptor;
  }

  @Override
  public String toString() {
    return "listener on local name " + name;
  }

  @Override
  int acceptOne() {
    return libc.accept4(fd, 0, 0, Abi.SOCK_NONBLOCK | Abi.SOCK_CLOEXEC);
  }

  @Override
  void accepted(int socket) {
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
}
