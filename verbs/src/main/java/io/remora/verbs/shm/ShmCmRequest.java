package io.remora.verbs.shm;

import io.remora.base.Check;
import io.remora.base.LocalListener;
import io.remora.base.LocalSocket;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.verbs.CmId;
import io.remora.verbs.CmRequest;
import io.remora.verbs.Context;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicBoolean;

/** A request to connect that belongs to no loop yet: a socket, and the descriptors that came with the request. */
final class ShmCmRequest implements CmRequest {
  /** Who is neither accepted nor rejected for so long has lost his connection. */
  private static final long MAX_WAIT_NS = 30_000_000_000L;

  private final ShmListener listener;
  private final Loop loop;
  private final Hello hello;
  private final Descriptors descriptors;
  private final LocalListener.Accepted connection;
  private final AtomicBoolean used = new AtomicBoolean();

  /** On the listener's loop. */
  ShmCmRequest(ShmListener listener, Hello hello, Descriptors descriptors, LocalListener.Accepted connection) {
    this.listener = listener;
    this.loop = listener.context().loop();
    this.hello = hello;
    this.descriptors = descriptors;
    this.connection = connection;
    Timer expiry = loop.timer(this::expire);
    expiry.arm(MAX_WAIT_NS);
  }

  Hello hello() {
    return hello;
  }

  InetSocketAddress localAddress() {
    return listener.localAddress();
  }

  /** What came with it; to be closed by whoever has attached it. */
  Descriptors descriptors() {
    return descriptors;
  }

  /** Makes the connection a socket of {@code context}'s loop. */
  LocalSocket socket(ShmContext context, LocalSocket.Handler handler) {
    return connection.attach(context.loop(), handler);
  }

  @Override
  public InetSocketAddress remoteAddress() {
    return hello.from();
  }

  @Override
  public MemorySegment privateData() {
    return hello.privateData();
  }

  @Override
  public int responderResources() {
    return hello.initiatorDepth();
  }

  @Override
  public int initiatorDepth() {
    return hello.responderResources();
  }

  @Override
  public CmId attach(Context context, CmId.Handler handler) {
    Check.argument(context instanceof ShmContext, "the request is for a context of the listener's device");
    if (!used.compareAndSet(false, true)) {
      throw new RemoraException(Status.TIMED_OUT,
          "the request from " + remoteAddress() + " was used already, or waited too long");
    }
    return ShmCmId.requested((ShmContext) context, this, handler);
  }

  @Override
  public void reject(MemorySegment privateData) {
    MemorySegment data = Hello.copy(privateData);
    if (used.compareAndSet(false, true)) {
      loop.execute(() -> rejectOnLoop(data));
    }
  }

  private void rejectOnLoop(MemorySegment data) {
    descriptors.close();
    LocalSocket socket = connection.attach(loop, new Deaf());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(1024, 8);
      int length = new Hello(Hello.REJECT, hello.type(), 0, 0, 0, localAddress(), data).write(message);
      socket.send(message, 0, length);
    }
    socket.close();
  }

  private void expire() {
    if (used.compareAndSet(false, true)) {
      descriptors.close();
      connection.close();
    }
  }

  /** Of who is rejected nothing more is heard. */
  private static final class Deaf implements LocalSocket.Handler {
    @Override
    public void onReadable() {}

    @Override
    public void onClosed(Status reason) {}
  }
}
