package io.remora.base.linux;

import io.remora.base.Addresses;
import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.net.InetSocketAddress;

/** A listening TCP socket of one {@link LinuxLoop}. */
final class TcpListener extends ListeningSocket implements StreamListener {
  private final LinuxNet net;
  private final InetSocketAddress address;
  private final Acceptor acceptor;

  TcpListener(LinuxLoop loop, LinuxNet net, int fd, InetSocketAddress address, Acceptor acceptor) {
    super(loop, fd);
    this.net = net;
    this.address = address;
    this.acceptor = acceptor;
  }

  @Override
  public InetSocketAddress localAddress() {
    return address;
  }

  @Override
  public String toString() {
    return "listener on " + Addresses.format(address);
  }

  @Override
  int acceptOne() {
    return libc.accept4(fd, net.address().address(), net.addressLength(SocketAddresses.BYTES),
        Abi.SOCK_NONBLOCK | Abi.SOCK_CLOEXEC);
  }

  @Override
  void accepted(int socket) {
    net.set(socket, Abi.IPPROTO_TCP, Abi.TCP_NODELAY, 1);
    Connection connection = new Connection(socket, SocketAddresses.read(net.address()));
    try {
      acceptor.onAccept(connection);
    } catch (RuntimeException | Error e) {
      loop.failed(e);
      connection.close();
    }
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
