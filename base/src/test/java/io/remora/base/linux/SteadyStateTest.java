package io.remora.base.linux;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.Addresses;
import io.remora.base.Disk;
import io.remora.base.DiskFile;
import io.remora.base.Ground;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Loops.Backend;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** In the steady state a loop's thread allocates nothing, and an idle one takes no time. */
@ParameterizedClass
@EnumSource(value = Backend.class, names = {"IO_URING", "EPOLL"})
class SteadyStateTest {
  private static final int OPERATIONS_PER_ROUND = 5_000;
  private static final int MAX_ROUNDS = 200;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  private final Backend backend;
  private final Arena arena = Arena.ofShared();
  @SuppressWarnings("NullAway.Init")
  private Ground ground;
  @SuppressWarnings("NullAway.Init")
  private Loop loop;

  SteadyStateTest(Backend backend) {
    this.backend = backend;
  }

  @BeforeEach
  void begin() {
    ground = new Ground.Real(backend, folder);
    loop = ground.loop(0);
  }

  @AfterEach
  void end() {
    ground.close();
    arena.close();
  }

  /**
   * Counts operations of one kind on one loop, and what its thread has allocated in each round of them. Compiling takes rounds
   * that allocate; the test is whether a round comes that does not.
   */
  private static final class Meter {
    private final CompletableFuture<Long> result = new CompletableFuture<>();
    private long leastBytes = Long.MAX_VALUE;
    private long allocatedBytes;
    private int operations;
    private int rounds;

    /** An operation is over; whether there should be another. */
    boolean more() {
      if (++operations == OPERATIONS_PER_ROUND) {
        operations = 0;
        long now = THREADS.getCurrentThreadAllocatedBytes();
        if (rounds > 0) {
          leastBytes = Math.min(leastBytes, now - allocatedBytes);
        }
        allocatedBytes = now;
        if (leastBytes == 0 || ++rounds == MAX_ROUNDS) {
          result.complete(leastBytes);
        }
      }
      return !result.isDone();
    }
  }

  @Test
  void timers() {
    Meter meter = new Meter();
    ground.run(loop, () -> {
      Timer[] timers = new Timer[100];
      Timer never = loop.timer(() -> {});
      for (int i = 0; i < timers.length; i++) {
        int number = i;
        timers[i] = loop.timer(() -> {
          never.arm(1_000_000_000_000L);
          if (meter.more()) {
            timers[number].arm(number);
            timers[(number * 7 + 1) % 100].arm(1);
            never.cancel();
          }
        });
        timers[i].arm(i);
      }
    });
    assertThat(ground.await(meter.result)).isZero();
  }

  @Test
  void deferredTasksAndTasks() {
    Meter meter = new Meter();
    Runnable[] again = new Runnable[2];
    again[0] = () -> {
      if (meter.more()) {
        loop.defer(again[1]);
      }
    };
    again[1] = () -> loop.execute(again[0]);
    loop.execute(again[0]);
    assertThat(ground.await(meter.result)).isZero();
  }

  /** Writes 4 KiB and reads 4 KiB in turn. */
  private static final class Pong implements StreamSocket.Handler {
    private static final int BYTES = 4096;
    private final Meter meter;
    private final MemorySegment memory;
    private final Sgl pending = new Sgl();
    private long got;
    @Nullable
    StreamSocket socket;

    Pong(Meter meter, Arena arena) {
      this.meter = meter;
      this.memory = arena.allocate(2 * BYTES);
    }

    @Override
    public void onConnected() {
      send();
    }

    @Override
    public void onWritable() {
      push();
    }

    @Override
    public void onReadable() {
      StreamSocket from = socket;
      if (from == null) {
        return;
      }
      for (long count = from.read(memory, BYTES, BYTES); count > 0; count = from.read(memory, BYTES, BYTES)) {
        got += count;
        if (got == BYTES) {
          got = 0;
          if (meter.more()) {
            send();
          }
        }
      }
    }

    @Override
    public void onClosed(Status reason) {
      meter.result.completeExceptionally(new AssertionError(reason));
    }

    private void send() {
      pending.add(memory, 0, 100);
      pending.add(memory, 100, BYTES - 100);
      push();
    }

    private void push() {
      StreamSocket to = socket;
      if (to != null && pending.totalBytes() > 0) {
        pending.consume(Math.max(0, to.write(pending)));
      }
    }
  }

  @Test
  void sockets() {
    Loop other = ground.loop(1);
    Pong near = new Pong(new Meter(), arena);
    Pong far = new Pong(new Meter(), arena);
    StreamListener listener = ground.call(other, () -> other.net().listen(Addresses.parse("127.0.0.1:0"),
        connection -> far.socket = connection.attach(other, far)));
    ground.run(loop, () -> near.socket = loop.net().connect(listener.localAddress(), near));
    CompletableFuture<Object> either = CompletableFuture.anyOf(near.meter.result, far.meter.result);
    assertThat(ground.await(either)).isEqualTo(0L);
  }

  @Test
  void disks() {
    Meter meter = new Meter();
    int depth = 300;
    MemorySegment memory = arena.allocate((depth + 1) * 8192L, 4096);
    ground.run(loop, () -> {
      DiskFile file = loop.disk().open(folder.resolve("file"), Disk.Mode.CREATE);
      file.grow(depth * 4096L);
      for (int i = 0; i < depth; i++) {
        int number = i;
        int[] round = new int[1];
        IoRequest request = new IoRequest(r -> {
          if (!r.status.isOk()) {
            meter.result.completeExceptionally(new AssertionError(r + ": " + r.status));
          } else if (meter.more()) {
            submit(file, r, memory, number, round[0]++);
          }
        });
        submit(file, request, memory, number, round[0]++);
      }
    });
    assertThat(ground.await(meter.result)).isZero();
  }

  /** Reads and writes, whole, scattered, and to memory that is not aligned; more of them than there are slots. */
  private static void submit(DiskFile file, IoRequest request, MemorySegment memory, int number, int round) {
    request.prepare(round % 8 == 7 ? IoRequest.Op.WRITE : IoRequest.Op.READ, number * 4096L, 4096);
    long at = number * 8192L;
    switch (number % 8) {
      case 0 -> request.sgl.add(memory, at + 1, 4096);
      case 1 -> {
        request.sgl.add(memory, at, 2048);
        request.sgl.add(memory, at + 4096, 2048);
      }
      default -> request.sgl.add(memory, at, 4096);
    }
    file.submit(request);
  }

  @Test
  void anIdleLoopTakesNoTime() {
    long thread = ground.call(loop, () -> Thread.currentThread().threadId());
    // Time enough for the spinning to have been given up.
    pause();
    long before = THREADS.getThreadCpuTime(thread);
    pause();
    assertThat(THREADS.getThreadCpuTime(thread) - before).isLessThan(5_000_000);
  }

  private void pause() {
    Loop other = ground.loop(1);
    CompletableFuture<Boolean> over = new CompletableFuture<>();
    ground.run(other, () -> other.timer(() -> over.complete(true)).arm(200_000_000));
    ground.await(over);
  }
}
