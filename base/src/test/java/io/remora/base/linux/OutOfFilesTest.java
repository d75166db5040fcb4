package io.remora.base.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.Addresses;
import io.remora.base.Ground;
import io.remora.base.Loop;
import io.remora.base.Loops.Backend;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A process that has run out of file descriptors neither spins nor forgets who waits to be accepted. */
class OutOfFilesTest {
  private static final int RLIMIT_NOFILE = 7;
  private static final int CONNECTIONS = 20;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  @ParameterizedTest
  @EnumSource(value = Backend.class, names = {"IO_URING", "EPOLL"})
  void whoCannotBeAcceptedNowIsAcceptedLater(Backend backend) {
    try (Ground.Real ground = new Ground.Real(backend, folder)) {
      // The first time loads what the second must not have to load while no file can be opened.
      accept(ground, false);
      assertThat(Errno.socket("connect", Errno.EMFILE).status()).isEqualTo(Status.NO_RESOURCES);
      accept(ground, true);
    }
  }

  private static void accept(Ground ground, boolean outOfFiles) {
    Loop near = ground.loop(0);
    Loop far = ground.loop(1);
    List<StreamSocket> accepted = new ArrayList<>();
    int[] connected = new int[1];
    StreamListener listener = ground.call(far, () -> far.net().listen(Addresses.parse("127.0.0.1:0"),
        connection -> accepted.add(connection.attach(far, new Silent(new int[1])))));
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch held = new CountDownLatch(1);
    far.execute(() -> {
      held.countDown();
      await(goOn);
    });
    await(held);
    ground.run(near, () -> {
      for (int i = 0; i < CONNECTIONS; i++) {
        near.net().connect(listener.localAddress(), new Silent(connected));
      }
    });
    ground.until(near, "connections that nobody has accepted", () -> connected[0] == CONNECTIONS);
    long before = outOfFiles ? limit(0) : 0;
    try {
      goOn.countDown();
      pause(ground, near);
      long cpuNs = cpuTime(ground, far);
      if (outOfFiles) {
        assertThat(ground.call(far, accepted::size)).isZero();
        assertThat(cpuNs).isLessThan(20_000_000);
        assertThat(connectsTo(ground, near, listener)).isEqualTo(Status.NO_RESOURCES);
      }
    } finally {
      if (outOfFiles) {
        limit(before);
      }
    }
    ground.until(far, "all connections", () -> accepted.size() == CONNECTIONS);
    ground.run(far, listener::close);
  }

  /** What becomes of a connection that finds no descriptor. */
  private static Status connectsTo(Ground ground, Loop loop, StreamListener listener) {
    CompletableFuture<Status> end = new CompletableFuture<>();
    ground.run(loop, () -> {
      StreamSocket socket = loop.net().connect(listener.localAddress(), new Silent(new int[1], end));
      assertThat(socket.localAddress().getPort()).isZero();
      assertThat(end).isNotDone();
    });
    return ground.await(end);
  }

  private static long cpuTime(Ground ground, Loop loop) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = ground.call(loop, () -> Thread.currentThread().threadId());
    long before = threads.getThreadCpuTime(thread);
    pause(ground, ground.loop(0));
    return threads.getThreadCpuTime(thread) - before;
  }

  private static void pause(Ground ground, Loop loop) {
    CompletableFuture<Boolean> over = new CompletableFuture<>();
    ground.run(loop, () -> loop.timer(() -> over.complete(true)).arm(250_000_000));
    ground.await(over);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Sets how many descriptors this process may have; those it has stay. Returns what it was. */
  @SuppressWarnings("restricted")
  private static long limit(long count) {
    MethodHandle prlimit = Linker.nativeLinker().downcallHandle(
        Linker.nativeLinker().defaultLookup().findOrThrow("prlimit"),
        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limits = arena.allocate(16, 8);
      assertThat((int) prlimit.invokeExact(0, RLIMIT_NOFILE, 0L, limits.address())).isZero();
      long before = limits.get(JAVA_LONG, 0);
      limits.set(JAVA_LONG, 0, count);
      assertThat((int) prlimit.invokeExact(0, RLIMIT_NOFILE, limits.address(), 0L)).isZero();
      return before;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Counts connections and notes their end. */
  private static final class Silent implements StreamSocket.Handler {
    private final int[] connected;

    private final CompletableFuture<Status> end;

    Silent(int[] connected) {
      this(connected, new CompletableFuture<>());
    }

    Silent(int[] connected, CompletableFuture<Status> end) {
      this.connected = connected;
      this.end = end;
    }

    @Override
    public void onConnected() {
      connected[0]++;
    }

    @Override
    public void onReadable() {}

    @Override
    public void onWritable() {}

    @Override
    public void onClosed(Status reason) {
      end.complete(reason);
    }
  }
}
