package io.remora.block.pool;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Loops.Backend;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A volume on several real loops at once. */
class PoolLoopsStress {
  private static final int LOOPS = 3;
  private static final int OPERATIONS = 15_000;
  private static final int CLUSTERS = 24;
  private static final long MIB = 1 << 20;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path folder;

  private final Loops loops = Loops.start(new Loops.Config("stress", LOOPS, Backend.AUTO, 20_000, List.of()));
  private final Loop owner = loops.get(0);
  @SuppressWarnings("NullAway.Init")
  private Pool pool;
  @SuppressWarnings("NullAway.Init")
  private Volume volume;

  @BeforeEach
  void begin() {
    PoolConfig config = new PoolConfig("p", PoolWorld.uuid(1),
        List.of(new PoolConfig.DiskSpec(folder.resolve("disk"), 4 * MIB)), PoolWorld.CLUSTER, false);
    pool = on(owner, () -> Pool.create(owner, config));
    volume = on(owner, () -> pool.createVolume(
        VolumeSpec.thin("v", PoolWorld.uuid(2), (long) CLUSTERS * PoolWorld.CLUSTER)));
  }

  @AfterEach
  void end() {
    on(owner, pool::close);
    loops.close();
  }

  private static <T extends @Nullable Object> T on(Loop loop, Supplier<CompletableFuture<T>> work) {
    return CompletableFuture.supplyAsync(work, loop).thenCompose(future -> future).join();
  }

  private static <T> T make(Loop loop, Supplier<T> maker) {
    return CompletableFuture.supplyAsync(maker, loop).join();
  }

  /** Other volumes come and go and take over what the one gives back. */
  @Test
  void everyLoopFindsWhatAnyLoopWroteWhileClustersChangeHands() {
    AtomicBoolean stop = new AtomicBoolean();
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    for (int i = 0; i < LOOPS; i++) {
      int index = i;
      Loop loop = loops.get(i);
      ends.add(make(loop, () -> new LoopsWorker(index, LOOPS, volume, loop, OPERATIONS, stop).run()));
    }
    CompletableFuture<Void> all = CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
    try {
      for (int i = 0; !all.isDone(); i++) {
        churn(i);
      }
    } finally {
      stop.set(true);
    }
    all.join();
    assertThat(pool.failure()).isEmpty();
    assertThat(make(owner, pool::problems)).isEmpty();
    assertThat(volume.openChannels()).isZero();
    on(owner, () -> pool.delete(volume));
    assertThat(make(owner, pool::usage).usedBytes()).isZero();
  }

  private void churn(int round) {
    Volume other = on(owner, () -> pool.createVolume(
        VolumeSpec.thin("other", PoolWorld.uuid(100 + round), 8L * PoolWorld.CLUSTER)));
    Loop loop = loops.get(round % LOOPS);
    BlockChannel channel = make(loop, () -> other.open(loop));
    MemorySegment memory = Arena.ofAuto().allocate(PoolWorld.CLUSTER, 4096).fill((byte) 0xEE);
    for (int i = 0; i < 8; i++) {
      assertThat(run(channel, Op.WRITE, (long) i * PoolWorld.CLUSTER, memory)).isEqualTo(Status.OK);
    }
    loop.execute(channel::close);
    make(loop, () -> true);
    on(owner, () -> pool.delete(other));
    long size = (CLUSTERS + round % 3) * (long) PoolWorld.CLUSTER + 4096L * (round % 2);
    on(owner, () -> pool.resize(volume, size));
  }

  private static Status run(BlockChannel channel, Op op, long offset, MemorySegment memory) {
    CompletableFuture<Status> end = new CompletableFuture<>();
    channel.loop().execute(() -> {
      IoRequest request = new IoRequest(done -> end.complete(done.status)).prepare(op, offset, memory.byteSize());
      request.sgl.add(memory, 0, memory.byteSize());
      channel.submit(request);
    });
    return end.join();
  }

  @Test
  void readsAndWritesOfMappedClustersDoNotNeedThePoolsLoop() {
    Loop loop = loops.get(1);
    BlockChannel channel = make(loop, () -> volume.open(loop));
    MemorySegment memory = Arena.ofAuto().allocate(2L * PoolWorld.CLUSTER, 4096).fill((byte) 7);
    assertThat(run(channel, Op.WRITE, 0, memory)).isEqualTo(Status.OK);
    assertThat(run(channel, Op.FLUSH, 0, MemorySegment.NULL)).isEqualTo(Status.OK);
    // The disk is being opened on the other loop: requests reach it through the pool's until it is.
    make(owner, () -> true);
    make(loop, () -> true);
    make(owner, () -> true);
    make(loop, () -> true);
    CountDownLatch goOn = new CountDownLatch(1);
    owner.execute(() -> await(goOn));
    try {
      MemorySegment block = Arena.ofAuto().allocate(4096, 4096).fill((byte) 9);
      assertThat(run(channel, Op.WRITE, PoolWorld.CLUSTER, block)).isEqualTo(Status.OK);
      assertThat(run(channel, Op.WRITE_ZEROES, 4096, block)).isEqualTo(Status.OK);
      assertThat(run(channel, Op.READ, 0, memory)).isEqualTo(Status.OK);
      assertThat(memory.get(java.lang.foreign.ValueLayout.JAVA_BYTE, PoolWorld.CLUSTER)).isEqualTo((byte) 9);
      assertThat(memory.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 4096)).isZero();
      assertThat(run(channel, Op.READ, 10L * PoolWorld.CLUSTER, block)).isEqualTo(Status.OK);
      assertThat(block.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0)).isZero();
    } finally {
      goOn.countDown();
    }
    make(loop, () -> {
      channel.close();
      return true;
    });
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void otherLoopsAllocateNothingInTheSteadyState() {
    Loop loop = loops.get(1);
    BlockChannel channel = make(loop, () -> volume.open(loop));
    MemorySegment memory = Arena.ofAuto().allocate((long) CLUSTERS * PoolWorld.CLUSTER, 4096);
    assertThat(run(channel, Op.WRITE, 0, memory)).isEqualTo(Status.OK);
    assertThat(run(channel, Op.FLUSH, 0, MemorySegment.NULL)).isEqualTo(Status.OK);
    CompletableFuture<Long> least = new CompletableFuture<>();
    loop.execute(new Meter(channel, memory, least)::begin);
    assertThat(least.join()).as("bytes in the best of many rounds").isZero();
    make(loop, () -> {
      channel.close();
      return true;
    });
  }

  /** Rounds of operations; compiling takes some that allocate, the test is whether one comes that does not. */
  private static final class Meter {
    private static final int ROUND = 4_000;
    private static final int MAX_ROUNDS = 200;
    private static final Op[] OPS = {Op.READ, Op.WRITE, Op.READ, Op.WRITE_ZEROES, Op.COMPARE};

    private final BlockChannel channel;
    private final MemorySegment memory;
    private final CompletableFuture<Long> result;
    private long least = Long.MAX_VALUE;
    private long before;
    private int operations;
    private int rounds;

    Meter(BlockChannel channel, MemorySegment memory, CompletableFuture<Long> result) {
      this.channel = channel;
      this.memory = memory;
      this.result = result;
    }

    void begin() {
      for (int i = 0; i < 16; i++) {
        submit(new IoRequest(this::completed));
      }
    }

    private void completed(IoRequest request) {
      if (!request.status.isOk() && request.status != Status.MISCOMPARE) {
        result.completeExceptionally(new AssertionError(request + ": " + request.status));
      }
      if (operations % ROUND == 0) {
        long now = THREADS.getCurrentThreadAllocatedBytes();
        least = rounds > 1 ? Math.min(least, now - before) : least;
        before = now;
        if (least == 0 || ++rounds == MAX_ROUNDS) {
          result.complete(least);
        }
      }
      if (!result.isDone()) {
        submit(request);
      }
    }

    private void submit(IoRequest request) {
      Op op = OPS[operations % OPS.length];
      // Across the border of two clusters, one time in eight.
      long at = operations++ * 61440L % ((CLUSTERS - 1L) * PoolWorld.CLUSTER) / 4096 * 4096;
      request.prepare(op, at, 8192);
      request.fua = op == Op.WRITE && operations % 64 == 0;
      if (request.hasData()) {
        request.sgl.add(memory, at, 8192);
      }
      channel.submit(request);
    }
  }
}
