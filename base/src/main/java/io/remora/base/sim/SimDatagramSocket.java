package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.DatagramSocket;
import io.remora.base.Loop;
import io.remora.base.Sgl;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayDeque;
import java.util.Arrays;

/** A datagram socket of a {@link SimLoop}. */
final class SimDatagramSocket implements DatagramSocket {
  private static final int MAX_DATAGRAM_BYTES = 65507;
  private static final int MAX_QUEUED = 256;
  private static final long BUSY_NS = 20_000;

  private record Datagram(MemorySegment bytes, InetSocketAddress from) {}

  private final SimLoop loop;
  private final SimNet net;
  private final InetSocketAddress address;
  private final Handler handler;
  private final ArrayDeque<Datagram> received = new ArrayDeque<>();
  private boolean closed;
  private boolean drained = true;
  private boolean blocked;

  SimDatagramSocket(SimLoop loop, SimNet net, InetSocketAddress address, Handler handler) {
    this.loop = loop;
    this.net = net;
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
    loop.checkInLoop();
    Datagram datagram = closed ? null : received.poll();
    if (datagram == null) {
      drained = true;
      return WOULD_BLOCK;
    }
    long size = datagram.bytes.byteSize();
    MemorySegment.copy(datagram.bytes, 0, target, offset, Math.min(length, size));
    byte[] sender = datagram.from.getAddress().getAddress();
    Arrays.fill(from.address, (byte) 0);
    System.arraycopy(sender, 0, from.address, 0, sender.length);
    from.addressBytes = sender.length;
    from.port = datagram.from.getPort();
    return (int) size;
  }

  @Override
  public int send(Sgl source, Peer to) {
    loop.checkInLoop();
    long length = source.totalBytes();
    if (closed || !loop.alive() || length > MAX_DATAGRAM_BYTES) {
      return (int) length;
    }
    if (blocked || net.random().nextInt(64) == 0) {
      block();
      return WOULD_BLOCK;
    }
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) length]);
    source.copyTo(0, bytes, 0, length);
    InetSocketAddress destination = address(to);
    SimMachine machine = net.find(destination.getAddress(), loop.machine());
    if (machine != null) {
      boolean loopback = destination.getAddress().isLoopbackAddress();
      InetAddress sender = loopback ? destination.getAddress() : loop.machine().address();
      Datagram datagram = new Datagram(bytes, new InetSocketAddress(sender, address.getPort()));
      net.deliverDatagram(loop.machine(), machine, () -> {
        SimDatagramSocket receiver = machine.sockets().datagram(destination);
        if (receiver != null) {
          receiver.arrived(datagram);
        }
      });
    }
    return (int) length;
  }

  @Override
  public void close() {
    loop.checkInLoop();
    closed = true;
    received.clear();
    loop.machine().sockets().remove(this);
  }

  private void arrived(Datagram datagram) {
    net.simulation().trace(datagram.bytes);
    if (received.size() == MAX_QUEUED) {
      return;
    }
    received.add(datagram);
    if (drained) {
      drained = false;
      loop.enqueue(() -> {
        if (!closed) {
          handler.onReadable();
        }
      });
    }
  }

  private void block() {
    if (!blocked) {
      blocked = true;
      net.simulation().schedule(BUSY_NS, () -> {
        blocked = false;
        loop.enqueue(() -> {
          if (!closed) {
            handler.onWritable();
          }
        });
      });
    }
  }

  private static InetSocketAddress address(Peer peer) {
    Check.argument(peer.addressBytes == 4 || peer.addressBytes == 16, "an address of %d bytes", peer.addressBytes);
    try {
      return new InetSocketAddress(InetAddress.getByAddress(Arrays.copyOf(peer.address, peer.addressBytes)), peer.port);
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }
}
