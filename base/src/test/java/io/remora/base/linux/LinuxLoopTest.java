package io.remora.base.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Starting and ending {@link LinuxLoop}s, and what they do with more than they can bear. */
class LinuxLoopTest {
  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void aTaskThatThrowsDoesNotEndTheLoop(Loops.Backend backend) throws InterruptedException {
    try (Loops loops = start(backend, 0)) {
      CountDownLatch after = new CountDownLatch(1);
      loops.get(0).execute(() -> {
        throw new IllegalStateException("thrown by a test on purpose");
      });
      loops.get(0).execute(after::countDown);
      after.await();
    }
  }

  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void closingRunsWhatWasGivenAndRefusesTheRest(Loops.Backend backend) {
    AtomicInteger ran = new AtomicInteger();
    Loops loops = start(backend, 0);
    Loop loop = loops.get(0);
    for (int i = 0; i < 5000; i++) {
      loop.execute(ran::incrementAndGet);
    }
    loops.close();
    assertThat(ran).hasValue(5000);
    assertThatThrownBy(() -> loop.execute(() -> {})).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(Status.ABORTED));
  }

  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void tooManyTasksAreRefused(Loops.Backend backend) throws InterruptedException {
    try (Loops loops = start(backend, 0)) {
      CountDownLatch started = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      AtomicInteger ran = new AtomicInteger();
      loops.get(0).execute(() -> {
        started.countDown();
        try {
          goOn.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      });
      started.await();
      int given = 0;
      try {
        for (; given <= LinuxLoop.MAX_TASKS; given++) {
          loops.get(0).execute(ran::incrementAndGet);
        }
      } catch (RemoraException e) {
        assertThat(e.status()).isEqualTo(Status.NO_RESOURCES);
      }
      assertThat(given).isEqualTo(LinuxLoop.MAX_TASKS);
      goOn.countDown();
      CountDownLatch last = new CountDownLatch(1);
      while (!offer(loops.get(0), last::countDown)) {
        Thread.onSpinWait();
      }
      last.await();
      assertThat(ran).hasValue(given);
    }
  }

  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void aHandlerThatThrowsLosesItsConnectionAndNobodyElseDoes(Loops.Backend backend) throws Exception {
    try (Loops loops = start(backend, 0)) {
      Loop loop = loops.get(0);
      BlockingQueue<Status> closed = new LinkedBlockingQueue<>();
      InetSocketAddress any = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
      InetSocketAddress address = CompletableFuture.supplyAsync(() -> loop.net().listen(any, accepted -> {
        Clumsy handler = new Clumsy(closed);
        handler.attached = accepted.attach(loop, handler);
      }).localAddress(), loop).get();
      try (Socket careful = new Socket(address.getAddress(), address.getPort());
          Socket victim = new Socket(address.getAddress(), address.getPort())) {
        victim.getOutputStream().write('!');
        assertThat(closed.take()).isEqualTo(Status.INTERNAL);
        assertThat(victim.getInputStream().read()).isEqualTo(-1);
        careful.getOutputStream().write('a');
        assertThat(careful.getInputStream().read()).isEqualTo('a');
      }
    }
  }

  /** Sends back what it gets, and throws at an exclamation mark. */
  private static final class Clumsy implements StreamSocket.Handler {
    private final BlockingQueue<Status> closed;
    private final MemorySegment buffer = Arena.ofAuto().allocate(16);
    private @Nullable StreamSocket attached;

    Clumsy(BlockingQueue<Status> closed) {
      this.closed = closed;
    }

    private StreamSocket socket() {
      return Objects.requireNonNull(attached);
    }

    @Override
    public void onReadable() {
      StreamSocket socket = socket();
      long count = socket.read(buffer, 0, 1);
      if (count == 1 && buffer.get(ValueLayout.JAVA_BYTE, 0) == '!') {
        throw new IllegalStateException("thrown by a test on purpose");
      }
      if (count == 1) {
        Sgl answer = new Sgl();
        answer.add(buffer, 0, 1);
        socket.write(answer);
      } else if (count == StreamSocket.CLOSED) {
        socket.close();
      }
    }

    @Override
    public void onWritable() {}

    @Override
    public void onClosed(Status reason) {
      closed.add(reason);
      socket().close();
    }
  }

  @Test
  void saysWhatItUsesAndWhy() {
    assertThat(Loops.describe()).matches("(io_uring \\(|epoll).*");
    try (Loops loops = start(Loops.Backend.EPOLL, 0)) {
      assertThat(loops.description()).startsWith("epoll").contains("as configured");
    }
  }

  @Test
  void aCoreThatIsNotThereIsRefused() {
    assertThatThrownBy(
        () -> Loops.start(new Loops.Config("pinned", 1, Loops.Backend.EPOLL, 0, List.of(1000)))).isInstanceOfSatisfying(
            RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.INVALID))
        .hasMessageContaining("1000");
  }

  @Test
  void loopsArePinned() {
    try (Loops loops = Loops.start(new Loops.Config("pinned", 1, Loops.Backend.AUTO, 0, List.of(0)))) {
      assertThat(loops.all()).hasSize(1);
      assertThat(loops.get(0).name()).isEqualTo("pinned-0");
    }
  }

  private static boolean offer(Loop loop, Runnable task) {
    try {
      loop.execute(task);
      return true;
    } catch (RemoraException e) {
      return false;
    }
  }

  private static Loops start(Loops.Backend backend, long spinNs) {
    return Loops.start(new Loops.Config("test", 1, backend, spinNs, List.of()));
  }

  @ParameterizedTest
  @EnumSource(Loops.Backend.class)
  void aLoopThatNeverRunsOutOfWorkEnds(Loops.Backend backend) throws InterruptedException {
    try (Loops loops = start(backend, 0)) {
      Loop loop = loops.get(0);
      CountDownLatch busy = new CountDownLatch(2);
      Runnable[] again = new Runnable[1];
      Timer[] timer = new Timer[1];
      loop.execute(() -> {
        again[0] = () -> {
          busy.countDown();
          loop.defer(again[0]);
        };
        timer[0] = loop.timer(() -> {
          busy.countDown();
          timer[0].arm(0);
        });
        loop.defer(again[0]);
        timer[0].arm(0);
      });
      busy.await();
    }
  }
}
