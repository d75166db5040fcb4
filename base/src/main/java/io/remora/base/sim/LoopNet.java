package io.remora.base.sim;

import io.remora.base.DatagramSocket;
import io.remora.base.Net;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.net.InetSocketAddress;

/** The {@link SimNet} as one loop sees it. */
final class LoopNet implements Net {
  private final SimLoop loop;
  private final SimNet net;

  LoopNet(SimLoop loop, SimNet net) {
    this.loop = loop;
    this.net = net;
  }

  @Override
  public StreamListener listen(InetSocketAddress address, StreamListener.Acceptor acceptor) {
    loop.checkRuns();
    Sockets sockets = loop.machine().sockets();
    InetSocketAddress free = sockets.listenAddress(address);
    SimListener listener = new SimListener(loop, free, acceptor);
    sockets.add(free, listener);
    return listener;
  }

  @Override
  public StreamSocket connect(InetSocketAddress address, StreamSocket.Handler handler) {
    loop.checkRuns();
    SimMachine from = loop.machine();
    TcpEnd end = new TcpEnd(net, from, from.sockets().callerAddress(address.getAddress()), address);
    SimStream socket = new SimStream(loop, end, handler);
    SimMachine to = net.find(address.getAddress(), from);
    if (to == null) {
      net.deliver(from, from, 0, () -> end.fail(Status.DISCONNECTED));
    } else {
      net.deliver(from, to, 0, () -> call(end, to));
      socket.connecting();
    }
    return socket;
  }

  @Override
  public DatagramSocket bind(InetSocketAddress address, DatagramSocket.Handler handler) {
    loop.checkRuns();
    Sockets sockets = loop.machine().sockets();
    InetSocketAddress free = sockets.datagramAddress(address);
    SimDatagramSocket socket = new SimDatagramSocket(loop, net, free, handler);
    sockets.add(free, socket);
    return socket;
  }

  private void call(TcpEnd end, SimMachine to) {
    SimListener listener = to.sockets().listener(end.remote());
    if (listener == null) {
      net.deliver(to, end.machine(), 0, () -> end.fail(Status.DISCONNECTED));
    } else {
      listener.called(end);
    }
  }
}
