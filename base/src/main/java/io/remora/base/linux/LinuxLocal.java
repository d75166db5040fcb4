package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.remora.base.Doorbell;
import io.remora.base.Local;
import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The other processes of this machine for one {@link LinuxLoop}, with the scratch memory that its sockets' system calls need. */
final class LinuxLocal implements Local {
  private static final int BACKLOG = 4096;
  private static final int PACKETS = Abi.SOCK_SEQPACKET | Abi.SOCK_NONBLOCK | Abi.SOCK_CLOEXEC;

  /** Who is at the other end of a socket. */
  record Peer(int process, int user) {}

  private final LinuxLoop loop;
  private final Libc libc;
  private final UnixMessage message;
  private final MemorySegment option;
  private final int user;

  LinuxLocal(LinuxLoop loop, Arena arena) {
    this.loop = loop;
    this.libc = loop.libc();
    this.message = new UnixMessage(libc, arena);
    this.option = arena.allocate(24, 8);
    this.user = libc.geteuid();
  }

  @Override
  public int user() {
    return user;
  }

  @Override
  public MemorySegment allocate(Arena arena, long bytes, boolean shared) {
    return Memfds.allocate(arena, bytes, shared);
  }

  @Override
  public @Nullable SharedMemory find(MemorySegment memory) {
    return Memfds.find(memory);
  }

  @Override
  public MemorySegment map(Arena arena, int descriptor, long bytes, boolean writable) {
    return Memfds.map(arena, descriptor, bytes, writable);
  }

  @Override
  public Doorbell newDoorbell() {
    assert loop.inLoop();
    return EventDoorbell.make(loop);
  }

  @Override
  public Doorbell takeDoorbell(int descriptor) {
    assert loop.inLoop();
    return EventDoorbell.take(loop, descriptor);
  }

  @Override
  public void close(int descriptor) {
    new Libc().close(descriptor);
  }

  @Override
  public LocalListener listen(String name, LocalListener.Acceptor acceptor) {
    assert loop.inLoop();
    String what = "listen on local name " + name;
    int fd = bound(what, name);
    try {
      check(what, libc.listen(fd, BACKLOG));
      UnixListener listener = new UnixListener(loop, this, fd, name, acceptor);
      loop.poller().watch(listener);
      return listener;
    } catch (RemoraException e) {
      libc.close(fd);
      throw e;
    }
  }

  @Override
  public LocalSocket connect(String name, LocalSocket.Handler handler) {
    assert loop.inLoop();
    int length = UnixNames.write(name, message.address());
    int fd = libc.socket(Abi.AF_UNIX, PACKETS, 0);
    int result = fd < 0 ? fd : libc.connect(fd, message.address().address(), length);
    UnixSocket socket = new UnixSocket(loop, this, fd, result < 0 ? new Peer(0, user) : peer(fd), handler);
    socket.connected(result);
    return socket;
  }

  UnixMessage message() {
    return message;
  }

  /** Who made the other end of {@code fd}; a user of -1 when the kernel does not say. */
  Peer peer(int fd) {
    option.set(JAVA_INT, 16, 12);
    int result = libc.getsockopt(fd, Abi.SOL_SOCKET, Abi.SO_PEERCRED, option.address(), option.address() + 16);
    return result < 0 ? new Peer(0, -1) : new Peer(option.get(JAVA_INT, 0), option.get(JAVA_INT, 4));
  }

  private int bound(String what, String name) {
    int length = UnixNames.write(name, message.address());
    int fd = libc.socket(Abi.AF_UNIX, PACKETS, 0);
    check(what, fd);
    int result = libc.bind(fd, message.address().address(), length);
    if (result < 0) {
      libc.close(fd);
      check(what, result);
    }
    return fd;
  }

  private static void check(String what, int result) {
    if (result < 0) {
      RemoraException e = Errno.socket(what, -result);
      throw e.status() == Status.EXISTS ? new RemoraException(Status.EXISTS, what + ": in use", e) : e;
    }
  }
}
