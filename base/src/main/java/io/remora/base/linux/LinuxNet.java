package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Addresses;
import io.remora.base.DatagramSocket;
import io.remora.base.Net;
import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/** The network of this machine for one {@link LinuxLoop}, with the scratch memory that its sockets' system calls need. */
final class LinuxNet implements Net {
  static final int MAX_IOVECS = 256;
  private static final int BACKLOG = 4096;
  private static final InetSocketAddress NOWHERE = Addresses.parse("0.0.0.0:0");
  private static final int STREAM = Abi.SOCK_STREAM | Abi.SOCK_NONBLOCK | Abi.SOCK_CLOEXEC;
  private static final int DGRAM = Abi.SOCK_DGRAM | Abi.SOCK_NONBLOCK | Abi.SOCK_CLOEXEC;

  private final LinuxLoop loop;
  private final Libc libc;
  private final MemorySegment address;
  private final MemorySegment addressLength;
  private final MemorySegment option;
  private final MemorySegment message;
  private final MemorySegment iovecs;
  private int gatheredPieces;
  private long gatheredBytes;

  LinuxNet(LinuxLoop loop, Arena arena) {
    this.loop = loop;
    this.libc = loop.libc();
    this.address = arena.allocate(32, 8);
    this.addressLength = arena.allocate(8, 8);
    this.option = arena.allocate(16, 8);
    this.iovecs = arena.allocate(MAX_IOVECS * 16L, 16);
    this.message = arena.allocate(56, 8);
    message.set(JAVA_LONG, 16, iovecs.address());
  }

  @Override
  public StreamListener listen(InetSocketAddress where, StreamListener.Acceptor acceptor) {
    assert loop.inLoop();
    String what = "listen on " + Addresses.format(where);
    int fd = socket(what, where, STREAM, Abi.IPPROTO_TCP);
    try {
      set(fd, Abi.SOL_SOCKET, Abi.SO_REUSEADDR, 1);
      bindTo(what, fd, where);
      check(what, libc.listen(fd, BACKLOG));
      TcpListener listener = new TcpListener(loop, this, fd, localAddress(fd), acceptor);
      loop.poller().watch(listener);
      return listener;
    } catch (RemoraException e) {
      libc.close(fd);
      throw e;
    }
  }

  @Override
  public StreamSocket connect(InetSocketAddress where, StreamSocket.Handler handler) {
    assert loop.inLoop();
    // Whatever goes wrong is told by the handler, so that whoever connects again and again has one place to do it from.
    int fd = libc.socket(SocketAddresses.family(where), STREAM, Abi.IPPROTO_TCP);
    int result = fd;
    if (fd >= 0) {
      set(fd, Abi.IPPROTO_TCP, Abi.TCP_NODELAY, 1);
      result = libc.connect(fd, address.address(), SocketAddresses.write(where, address));
    }
    TcpSocket socket = new TcpSocket(loop, this, fd, where, handler, true);
    if (result < 0 && result != -Errno.EINPROGRESS && result != -Errno.EINTR) {
      socket.refused(Errno.ofSocket(-result));
    } else {
      socket.begin();
    }
    return socket;
  }

  @Override
  public DatagramSocket bind(InetSocketAddress where, DatagramSocket.Handler handler) {
    assert loop.inLoop();
    String what = "bind to " + Addresses.format(where);
    int fd = socket(what, where, DGRAM, 0);
    try {
      bindTo(what, fd, where);
      UdpSocket socket = new UdpSocket(loop, this, fd, SocketAddresses.family(where), localAddress(fd), handler);
      loop.poller().watch(socket);
      return socket;
    } catch (RemoraException e) {
      libc.close(fd);
      throw e;
    }
  }

  /** Room for a socket address, and for its length beside it. */
  MemorySegment address() {
    return address;
  }

  /** A place of 4 bytes that holds {@code length}. */
  long addressLength(int length) {
    addressLength.set(JAVA_INT, 0, length);
    return addressLength.address();
  }

  InetSocketAddress localAddress(int fd) {
    if (fd < 0) {
      return NOWHERE;
    }
    check("getsockname", libc.getsockname(fd, address.address(), addressLength(SocketAddresses.BYTES)));
    return SocketAddresses.read(address);
  }

  /** The error that the kernel has kept for {@code fd}, which it forgets with this; 0 for none. */
  int takeError(int fd) {
    option.set(JAVA_INT, 0, 0);
    option.set(JAVA_INT, 8, 4);
    int result = libc.getsockopt(fd, Abi.SOL_SOCKET, Abi.SO_ERROR, option.address(), option.address() + 8);
    return result < 0 ? -result : option.get(JAVA_INT, 0);
  }

  /**
   * Whether a call on {@code fd} that has just failed could have a better reason than that it would have to wait, now that the kernel is asked for
   * {@code events}, errors and hang-ups. Unlike the error number, the answer costs no memory.
   */
  boolean hasEvents(int fd, int events) {
    option.set(JAVA_INT, 0, fd);
    option.set(JAVA_INT, 4, events & 0xffff);
    return libc.tryPoll(option.address(), 1, 0) != 0;
  }

  void set(int fd, int level, int name, int value) {
    option.set(JAVA_INT, 0, value);
    libc.setsockopt(fd, level, name, option.address(), 4);
  }

  /** Makes {@code close} drop the connection without a farewell. */
  void abortOnClose(int fd) {
    option.set(JAVA_INT, 0, 1);
    option.set(JAVA_INT, 4, 0);
    libc.setsockopt(fd, Abi.SOL_SOCKET, Abi.SO_LINGER, option.address(), 8);
  }

  /**
   * Sends up to {@value #MAX_IOVECS} pieces of {@code list}, leaving out its first {@code from} bytes, by one system call. Returns -1
   * for any failure: {@link #sendAgain} tells which.
   */
  long trySend(int fd, Sgl list, long from) {
    int pieces = gather(list, from);
    if (pieces == 1) {
      return libc.trySend(fd, iovecs.get(JAVA_LONG, 0), iovecs.get(JAVA_LONG, 8), Abi.MSG_NOSIGNAL);
    }
    describe(pieces, 0);
    return libc.trySendmsg(fd, message.address(), Abi.MSG_NOSIGNAL);
  }

  /**
   * Reads into up to {@value #MAX_IOVECS} pieces of {@code list} by one system call. Returns -1 for any failure: {@link #receive} tells
   * which.
   */
  long tryReceive(int fd, Sgl list) {
    describe(gather(list, 0), 0);
    return libc.tryRecvmsg(fd, message.address(), 0);
  }

  /** As {@link #tryReceive}; the negated error number when it fails. */
  long receive(int fd, Sgl list) {
    describe(gather(list, 0), 0);
    long count = libc.recvmsg(fd, message.address(), 0);
    while (count == -Errno.EINTR) {
      count = libc.recvmsg(fd, message.address(), 0);
    }
    return count;
  }

  /** What the last {@link #trySend} gave to the kernel, once more: how much was taken now, or the negated error number. */
  long sendAgain(int fd) {
    describe(gatheredPieces, 0);
    return libc.sendmsg(fd, message.address(), Abi.MSG_NOSIGNAL);
  }

  /** How many bytes the last call gave to the kernel, or had room for. */
  long gatheredBytes() {
    return gatheredBytes;
  }

  /** Sends the whole of {@code list} as a datagram to the address in {@link #address}, of so many bytes. */
  long sendTo(int fd, Sgl list, int addressBytes) {
    describe(gather(list, 0), addressBytes);
    return libc.sendmsg(fd, message.address(), Abi.MSG_NOSIGNAL);
  }

  /** Whether a connection that has been made still has another end: false after a reset or a time-out, true after the peer's FIN. */
  boolean hasPeer(int fd) {
    return libc.getpeername(fd, address.address(), addressLength(SocketAddresses.BYTES)) >= 0;
  }

  private int gather(Sgl list, long from) {
    int pieces = 0;
    long bytes = 0;
    long skip = from;
    for (int i = 0; i < list.count() && pieces < MAX_IOVECS; i++) {
      long length = list.length(i);
      if (skip >= length) {
        skip -= length;
        continue;
      }
      iovecs.set(JAVA_LONG, pieces * 16L, list.address(i) + skip);
      iovecs.set(JAVA_LONG, pieces * 16L + 8, length - skip);
      bytes += length - skip;
      skip = 0;
      pieces++;
    }
    gatheredPieces = pieces;
    gatheredBytes = bytes;
    return pieces;
  }

  private void describe(int pieces, int addressBytes) {
    message.set(JAVA_LONG, 0, addressBytes == 0 ? 0 : address.address());
    message.set(JAVA_INT, 8, addressBytes);
    message.set(JAVA_LONG, 24, pieces);
  }

  private int socket(String what, InetSocketAddress where, int type, int protocol) {
    int fd = libc.socket(SocketAddresses.family(where), type, protocol);
    check(what, fd);
    return fd;
  }

  private void bindTo(String what, int fd, InetSocketAddress where) {
    if (SocketAddresses.family(where) == Abi.AF_INET6) {
      // [::] serves IPv4 too, whatever net.ipv6.bindv6only says.
      set(fd, Abi.IPPROTO_IPV6, Abi.IPV6_V6ONLY, 0);
    }
    check(what, libc.bind(fd, address.address(), SocketAddresses.write(where, address)));
  }

  private static void check(String what, int result) {
    if (result < 0) {
      RemoraException e = Errno.socket(what, -result);
      throw e.status() == Status.DENIED
          ? new RemoraException(Status.DENIED, e.getMessage() + "; ports below 1024 need root or CAP_NET_BIND_SERVICE",
              e)
          : e;
    }
  }
}
