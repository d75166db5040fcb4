package io.remora.base.linux;

import io.remora.base.DatagramSocket;
import io.remora.base.Loop;
import io.remora.base.Sgl;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** A UDP socket of one {@link LinuxLoop}. What the network says of lost datagrams is dropped, as they are. */
final class UdpSocket extends Watched implements DatagramSocket {
  private static final int MAX_ERRORS = 64;

  private final LinuxLoop loop;
  private final LinuxNet net;
  private final Libc libc;
  private final int family;
  private final InetSocketAddress address;
  private final Handler handler;
  private boolean readArmed = true;
  private boolean writeArmed;
  private boolean closed;

  UdpSocket(LinuxLoop loop, LinuxNet net, int fd, int family, InetSocketAddress address, Handler handler) {
    super(fd);
    this.loop = loop;
    this.net = net;
    this.libc = loop.libc();
    this.family = family;
    this.address = address;
    this.handler = handler;
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public InetSocketAddress localAddress() {
    return address;
  }

  @Override
  public int receive(MemorySegment target, long offset, long length, Peer from) {
    assert loop.inLoop();
    assert target.isNative() && offset >= 0 && offset + length <= target.byteSize();
    for (int i = 0; i < MAX_ERRORS && !closed; i++) {
      long count = libc.recvfrom(fd, target.address() + offset, length, Abi.MSG_TRUNC, net.address().address(),
          net.addressLength(SocketAddresses.BYTES));
      if (count >= 0) {
        SocketAddresses.readPeer(net.address(), from);
        return (int) count;
      }
      if (count == -Errno.EAGAIN) {
        break;
      }
      // Anything else is news of a datagram that was sent before.
    }
    readArmed = true;
    return WOULD_BLOCK;
  }

  @Override
  public int send(Sgl source, Peer to) {
    assert loop.inLoop();
    int total = (int) Math.min(Integer.MAX_VALUE, source.totalBytes());
    int addressBytes = SocketAddresses.writePeer(to, family, net.address());
    if (closed || addressBytes == 0 || source.count() > LinuxNet.MAX_IOVECS) {
      return total;
    }
    long count = net.sendTo(fd, source, addressBytes);
    if (count == -Errno.EAGAIN) {
      writeArmed = true;
      return WOULD_BLOCK;
    }
    return count < 0 ? total : (int) count;
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
  void onEvents(int events) {
    if ((events & (Abi.POLLIN | Abi.POLLERR)) != 0 && readArmed) {
      readArmed = false;
      handler.onReadable();
    }
    if ((events & Abi.POLLOUT) != 0 && writeArmed && !closed) {
      writeArmed = false;
      handler.onWritable();
    }
  }

  @Override
  public String toString() {
    return "udp on " + address;
  }
}
