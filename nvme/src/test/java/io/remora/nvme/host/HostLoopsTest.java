package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.MemoryDevice;
import io.remora.verbs.Provider;
import io.remora.verbs.iwarp.IwarpProvider;
import io.remora.verbs.shm.ShmProvider;
import io.remora.verbs.sim.SimFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our host and our target over real sockets. */
class HostLoopsTest {
  private static final long SIZE = 64 << 20;
  /** For 20,000 requests: the measurement itself. The smallest object is 16 bytes, so one for every hundredth request is seen. */
  private static final long NOISE_BYTES = 2_000;

  /** Keeps {@code depth} requests in flight on a slice of the device until {@code total} are done; reads what it wrote. */
  private static final class Driver {
    final BlockChannel channel;
    volatile CompletableFuture<Void> done = new CompletableFuture<>();
    private final MemorySegment memory;
    private final SplittableRandom random;
    private final long begin;
    private final int size;
    private final boolean verify;
    private final long[] written;
    private final List<IoRequest> requests = new ArrayList<>();
    private long left;
    private int inFlight;

    Driver(BlockChannel channel, long begin, long length, int size, boolean verify) {
      this(channel, begin, length, size, verify, Arena.ofAuto().allocate(1 << 20, 4096));
    }

    /** With 1 MiB of memory for data. */
    Driver(BlockChannel channel, long begin, long length, int size, boolean verify, MemorySegment memory) {
      this.memory = memory;
      this.channel = channel;
      this.begin = begin;
      this.size = size;
      this.verify = verify;
      this.random = new SplittableRandom(begin);
      this.written = new long[(int) (length / size)];
    }

    void start(int depth, long total) {
      left = total;
      for (int i = 0; i < depth; i++) {
        IoRequest request = new IoRequest(this::completed);
        request.scratch = i;
        request.owner = memory.asSlice((long) i * size % (1 << 20), size);
        requests.add(request);
        next(request, i);
      }
    }

    /** Runs {@code total} more. */
    void more(long total) {
      left = total;
      for (int i = 0; i < requests.size(); i++) {
        next(requests.get(i), i);
      }
    }

    private void next(IoRequest request, int slot) {
      if (left == 0) {
        return;
      }
      left--;
      inFlight++;
      // Every request has blocks of its own, so that nothing overlaps.
      int depth = Math.max(1, requests.size());
      int block = random.nextInt(written.length / 64) * 64 + slot % 64;
      assert depth <= 64;
      boolean write = !verify || written[block] == 0 || random.nextBoolean();
      request.prepare(write ? IoRequest.Op.WRITE : IoRequest.Op.READ, begin + (long) block * size, size);
      MemorySegment own = (MemorySegment) request.owner;
      assert own != null;
      if (write && verify) {
        written[block] = random.nextLong() | 1;
        for (long at = 0; at < size; at += 512) {
          own.set(ValueLayout.JAVA_LONG, at, written[block] + at);
        }
      }
      request.sgl.add(own, 0, size);
      channel.submit(request);
    }

    private void completed(IoRequest request) {
      inFlight--;
      if (!request.status.isOk()) {
        done.completeExceptionally(new AssertionError(request + ": " + request.status));
        return;
      }
      if (verify && request.op == IoRequest.Op.READ) {
        check(request);
      }
      if (left > 0) {
        next(request, requests.indexOf(request));
      } else if (inFlight == 0) {
        done.complete(null);
      }
    }

    private void check(IoRequest request) {
      MemorySegment own = (MemorySegment) request.owner;
      assert own != null;
      long expected = written[(int) ((request.offset - begin) / size)];
      for (long at = 0; at < size; at += 512) {
        if (own.get(ValueLayout.JAVA_LONG, at) != expected + at) {
          done.completeExceptionally(new AssertionError(request + " read something else at " + at));
        }
      }
    }
  }

  private static BlockDevice device() {
    return new MemoryDevice("memory", new UUID(1, 2), SIZE, 512);
  }

  @ParameterizedTest
  @CsvSource({"EPOLL, 1, false, false, 4096", "EPOLL, 2, true, true, 4096", "EPOLL, 1, false, true, 131072",
    "AUTO, 2, false, false, 4096", "AUTO, 1, true, false, 262144"})
  void readsWhatItWrote(Loops.Backend backend, int loops, boolean headerDigest, boolean dataDigest, int size) {
    try (LoopsWorld world = new LoopsWorld(backend, loops, device(),
        options -> options.withDigests(headerDigest, dataDigest).withQueues(0, 32))) {
      List<Driver> drivers = new ArrayList<>();
      for (int i = 0; i < loops; i++) {
        int index = i;
        Loop loop = world.hostLoops.get(i);
        LoopsWorld.on(loop, () -> {
          Driver driver = new Driver(world.namespace().open(loop), SIZE / loops * index, SIZE / loops, size, true);
          drivers.add(driver);
          driver.start(Math.min(48, (1 << 20) / size), size > 4096 ? 1000 : 8000);
        });
      }
      drivers.forEach(driver -> LoopsWorld.await(driver.done));
      assertThat(world.controller.status().losses()).as(world.controller.status().text()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"SIM, 2, 4096, false", "SIM, 1, 262144, true", "SHM, 1, 512, true", "SHM, 2, 4096, false",
    "SHM, 2, 4096, true",
    "SHM, 1, 131072, true", "SHM, 1, 262144, false", "IWARP, 1, 512, true", "IWARP, 2, 4096, false",
    "IWARP, 1, 262144, true"})
  void readsWhatItWroteOverRdma(Rdma by, int loops, int size, boolean pooled) {
    try (LoopsWorld world = new LoopsWorld(Loops.Backend.AUTO, loops, device(), options -> options.withQueues(0, 32),
        by.provider())) {
      List<Driver> drivers = new ArrayList<>();
      List<Runnable> ends = new ArrayList<>();
      for (int i = 0; i < loops; i++) {
        int index = i;
        Loop loop = world.hostLoops.get(i);
        LoopsWorld.on(loop, () -> {
          BlockChannel channel = world.namespace().open(loop);
          MemorySegment memory = pooled ? pooled(channel, ends) : Arena.ofAuto().allocate(1 << 20, 4096);
          Driver driver = new Driver(channel, SIZE / loops * index, SIZE / loops, size, true,
              memory);
          drivers.add(driver);
          driver.start(Math.min(48, (1 << 20) / size), size > 4096 ? 1000 : 8000);
        });
      }
      drivers.forEach(driver -> LoopsWorld.await(driver.done));
      assertThat(world.controller.status().losses()).as(world.controller.status().text()).isZero();
      for (int i = 0; i < ends.size(); i++) {
        LoopsWorld.on(world.hostLoops.get(i), ends.get(i));
      }
    }
  }

  /** Who carries RDMA between the loops of this process. */
  enum Rdma {
    SIM, SHM, IWARP;

    Provider provider() {
      return switch (this) {
        case SIM -> new SimFabric().provider();
        case SHM -> new ShmProvider();
        case IWARP -> new IwarpProvider();
      };
    }
  }

  /** 1 MiB of a pool that the transport knows. */
  private static MemorySegment pooled(BlockChannel channel, List<Runnable> ends) {
    BufferPool pool = new BufferPool(channel.loop(), 1 << 20, 1 << 20);
    Buffer buffer = Objects.requireNonNull(pool.take(pool.owner("test", 1 << 20), 1 << 20));
    channel.use(pool);
    ends.add(() -> {
      channel.forget(pool);
      buffer.release();
      pool.close();
    });
    return buffer.segment();
  }

  @ParameterizedTest
  @CsvSource({"SHM, 0", "SIM, 4096"})
  void capsulesBringNoDataWhereItIsBetterRead(Rdma rdma, int bytes) {
    try (LoopsWorld world = new LoopsWorld(Loops.Backend.EPOLL, 1, device(), options -> options.withQueues(1, 32),
        rdma.provider())) {
      assertThat(world.controller.info().inCapsuleBytes()).isEqualTo(bytes);
    }
  }

  @Test
  void steadyIoAllocatesNothing() {
    try (LoopsWorld world = new LoopsWorld(Loops.Backend.EPOLL, 1, device(), options -> options.withQueues(1, 32))) {
      steadyIoAllocatesNothing(world);
    }
  }

  @Test
  void steadyIoOverRdmaAllocatesNothing() {
    try (LoopsWorld world = new LoopsWorld(Loops.Backend.EPOLL, 1, device(), options -> options.withQueues(1, 32),
        new ShmProvider())) {
      steadyIoAllocatesNothing(world);
    }
  }

  private static void steadyIoAllocatesNothing(LoopsWorld world) {
    Loop loop = world.hostLoops.get(0);
    long[] thread = {0};
    Driver[] driver = {null};
    LoopsWorld.on(loop, () -> {
      thread[0] = Thread.currentThread().threadId();
      driver[0] = new Driver(world.namespace().open(loop), 0, SIZE, 4096, true);
      driver[0].start(32, 60_000);
    });
    LoopsWorld.await(driver[0].done);
    ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 200 && best > NOISE_BYTES; round++) {
      driver[0].done = new CompletableFuture<>();
      long before = bean.getThreadAllocatedBytes(thread[0]);
      LoopsWorld.on(loop, () -> driver[0].more(20_000));
      LoopsWorld.await(driver[0].done);
      best = Math.min(best, bean.getThreadAllocatedBytes(thread[0]) - before);
    }
    System.out.println("allocated by 20000 requests: " + best + " bytes");
    assertThat(best).isLessThanOrEqualTo(NOISE_BYTES);
  }
}
