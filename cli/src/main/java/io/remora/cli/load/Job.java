package io.remora.cli.load;

import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One job: a fixed number of requests in flight on one channel. Lives on one loop until it reports its end; its counters may be read from any thread, its histograms after the end.
 *
 * <p>It goes through the main phase and, where it wrote to verify, a phase that reads every written block back. A failed request
 * or wrong data ends it.
 */
final class Job implements IoRequest.Completion {
  private static final long MAX_LATENCY_NS = 3_600_000_000_000L;
  private static final long MAX_ARENA_BYTES = 8 << 20;
  private static final long MIN_ARENA_BYTES = 64 << 10;

  /** Who waits for the end and hears of trouble; called on the job's loop. */
  interface Watcher {
    void onMeasure(Job job);

    void onMeasured(Job job);

    void onTrouble(String what);

    void onEnd();
  }

  private enum Phase {
    MAIN, CHECK, ENDED
  }

  /** A request with its memory; its place in the job's array never changes. */
  private static final class Slot {
    private final IoRequest request;
    private final Buffer buffer;
    private final MemorySegment memory;
    private final ByteBuffer view;
    private long submittedNs;
    private int block;

    Slot(Job job, Buffer buffer, int blockBytes) {
      this.request = new IoRequest(job);
      this.buffer = buffer;
      this.memory = buffer.segment().asSlice(0, blockBytes);
      this.view = memory.asByteBuffer();
      request.owner = this;
    }
  }

  private final Loop loop;
  private final Workload workload;
  private final Watcher watcher;
  private final long firstBlock;
  private final int blocks;
  private final @Nullable Notes notes;
  private final SplittableRandom random;
  private final Permutation permutation;
  private final BlockPattern pattern;
  private final BlockChannel channel;
  private final BufferPool memory;
  private final Slot[] slots;
  private final Timer endTimer;
  private final Histogram[] latencies = {new Histogram(MAX_LATENCY_NS, 3), new Histogram(MAX_LATENCY_NS, 3)};
  private final AtomicLong[] operations = {new AtomicLong(), new AtomicLong()};
  private final AtomicLong verified = new AtomicLong();
  private Phase phase = Phase.MAIN;
  private boolean measuring;
  private boolean stopping;
  private boolean aborted;
  private int inFlight;
  private long issued;
  private int cursor;
  private long measureFromNs;
  /** When the request that is being looked at has come back. */
  private long nowNs;
  private volatile long measuredNs;

  /**
   * A job on the blocks {@code firstBlock} to {@code firstBlock + blocks - 1} of the range; opens its channel. On {@code loop}.
   */
  Job(Loop loop, BlockDevice device, Workload workload, int number, long firstBlock, int blocks, @Nullable Notes notes,
      Watcher watcher) {
    this.loop = loop;
    this.workload = workload;
    this.watcher = watcher;
    this.firstBlock = firstBlock;
    this.blocks = blocks;
    this.notes = notes;
    this.random = new SplittableRandom(workload.seed() + number);
    this.permutation = new Permutation(blocks, workload.seed() + number);
    this.pattern = new BlockPattern(workload.seed());
    this.endTimer = loop.timer(this::stop);
    slots = new Slot[workload.ioDepth()];
    channel = device.open(loop);
    memory = pool(loop, workload);
    try {
      channel.use(memory);
      fillSlots();
    } catch (RemoraException e) {
      giveBack();
      throw e;
    }
  }

  private static BufferPool pool(Loop loop, Workload workload) {
    long each = Math.max(4096, Long.highestOneBit(2L * workload.blockBytes() - 1));
    long all = each * workload.ioDepth();
    long arena = Math.max(each, Math.clamp(Long.highestOneBit(2 * all - 1), MIN_ARENA_BYTES, MAX_ARENA_BYTES));
    return new BufferPool(loop, arena, (all + arena - 1) / arena * arena);
  }

  private void fillSlots() {
    BufferPool.Owner owner = memory.owner("requests of a load", Long.MAX_VALUE);
    for (int i = 0; i < slots.length; i++) {
      Buffer buffer = memory.take(owner, workload.blockBytes());
      if (buffer == null) {
        throw new RemoraException(Status.NO_RESOURCES, "no memory for " + slots.length + " requests of "
            + workload.blockBytes() + " bytes: only for " + i);
      }
      MemorySegment s = buffer.segment();
      for (long at = 0; at + 8 <= s.byteSize(); at += 8) {
        s.set(ValueLayout.JAVA_LONG_UNALIGNED, at, random.nextLong());
      }
      slots[i] = new Slot(this, buffer, workload.blockBytes());
    }
  }

  /** Nothing is in flight any more. */
  private void giveBack() {
    for (Slot slot : slots) {
      if (slot != null) {
        slot.buffer.release();
      }
    }
    channel.forget(memory);
    memory.close();
    channel.close();
  }

  /** The loop it lives on. */
  Loop loop() {
    return loop;
  }

  /** Operations that were measured so far: reads or writes. From any thread. */
  long operations(boolean reads) {
    return operations[reads ? 0 : 1].get();
  }

  /** Bytes whose content was checked so far. From any thread. */
  long verifiedBytes() {
    return verified.get();
  }

  /** The latencies of reads or writes in nanoseconds, after the end. */
  Histogram latencies(boolean reads) {
    return latencies[reads ? 0 : 1];
  }

  /** How long was measured; 0 before the end of it. From any thread. */
  long measuredNs() {
    return measuredNs;
  }

  /** Begins. */
  void start() {
    if (workload.rampNs() > 0) {
      loop.timer(this::measure).arm(workload.rampNs());
    } else {
      measure();
    }
    submitAll();
  }

  /** Ends as soon as nothing is in flight, without reading anything back. */
  void abort() {
    aborted = true;
    stop();
  }

  private void stop() {
    measured();
    stopping = true;
  }

  @Override
  public void completed(IoRequest request) {
    Slot slot = (Slot) Objects.requireNonNull(request.owner);
    inFlight--;
    boolean read = request.op == Op.READ;
    // Read once for both the end of this request and the beginning of the next.
    nowNs = loop.clock().nanoTime();
    // Before measuring too, so that nothing is new to the compiler when it begins.
    if (phase == Phase.MAIN && !stopping) {
      int kind = read ? 0 : 1;
      latencies[kind].recordValue(Math.clamp(nowNs - slot.submittedNs, 0, MAX_LATENCY_NS));
      operations[kind].setOpaque(operations[kind].getPlain() + 1);
    }
    if (!request.status.isOk()) {
      fail(slot, request.status.text());
    } else if (read && workload.verify()) {
      check(slot);
    }
    Notes known = notes;
    if (known != null) {
      known.release(slot.block);
    }
    next(slot);
    if (inFlight == 0) {
      nextPhase();
    }
  }

  private void submitAll() {
    nowNs = loop.clock().nanoTime();
    for (Slot slot : slots) {
      next(slot);
    }
    if (inFlight == 0) {
      nextPhase();
    }
  }

  private void next(Slot slot) {
    switch (phase) {
      case MAIN -> {
        if (!stopping && (workload.runtimeNs() > 0 || issued < blocks)) {
          boolean read = chooseRead();
          int block = chooseBlock();
          if (block >= 0) {
            issued++;
            submit(slot, read, block);
          }
        }
      }
      case CHECK -> {
        Notes known = Objects.requireNonNull(notes);
        while (cursor < blocks && known.generation(cursor) == 0) {
          cursor++;
        }
        if (cursor < blocks && !aborted) {
          submit(slot, true, known.take(cursor++));
        }
      }
      case ENDED -> {
      }
    }
  }

  private boolean chooseRead() {
    Workload.Pattern kind = workload.pattern();
    if (kind.reads() && kind.writes()) {
      return random.nextInt(100) < workload.readPercent();
    }
    return kind.reads();
  }

  /** The next block; -1 when requests are in flight on all of them. */
  private int chooseBlock() {
    int block;
    if (!workload.pattern().random()) {
      block = (int) (issued % blocks);
    } else if (workload.runtimeNs() == 0) {
      block = (int) permutation.at(issued);
    } else {
      block = random.nextInt(blocks);
    }
    Notes known = notes;
    return known == null ? block : known.take(block);
  }

  private void submit(Slot slot, boolean read, int block) {
    long offset = offset(block);
    IoRequest request = slot.request;
    slot.block = block;
    request.prepare(read ? Op.READ : Op.WRITE, offset, workload.blockBytes());
    request.sgl.add(slot.memory, 0, workload.blockBytes());
    Notes known = notes;
    if (!read && known != null) {
      pattern.fill(slot.memory, slot.view, offset, known.nextGeneration(block));
    }
    inFlight++;
    // Making a pattern to verify, or checking one, takes time that is not the device's.
    slot.submittedNs = known == null ? nowNs : loop.clock().nanoTime();
    channel.submit(request);
  }

  private void check(Slot slot) {
    Notes known = notes;
    long generation = known == null ? 0 : known.generation(slot.block);
    if (known != null && generation == 0) {
      return;
    }
    String wrong = pattern.check(slot.memory, slot.view, offset(slot.block), generation);
    if (wrong == null) {
      verified.setOpaque(verified.getPlain() + workload.blockBytes());
    } else {
      fail(slot, wrong);
    }
  }

  private void fail(Slot slot, String what) {
    abort();
    watcher.onTrouble(slot.request.op.name().toLowerCase(Locale.ROOT) + " of " + workload.blockBytes()
        + " bytes at offset " + offset(slot.block) + ": " + what);
  }

  private void measure() {
    if (stopping || phase != Phase.MAIN) {
      return;
    }
    for (int kind = 0; kind < 2; kind++) {
      latencies[kind].reset();
      operations[kind].set(0);
    }
    measuring = true;
    measureFromNs = loop.clock().nanoTime();
    watcher.onMeasure(this);
    if (workload.runtimeNs() > 0) {
      endTimer.arm(workload.runtimeNs());
    }
  }

  private void measured() {
    if (measuring) {
      measuring = false;
      measuredNs = loop.clock().nanoTime() - measureFromNs;
      watcher.onMeasured(this);
    }
  }

  /** Nothing is in flight and nothing is left to submit: reads back what was written to be verified, or ends. */
  private void nextPhase() {
    measured();
    endTimer.cancel();
    if (phase == Phase.MAIN && workload.verify() && workload.pattern().writes() && !aborted) {
      phase = Phase.CHECK;
      submitAll();
    } else if (phase != Phase.ENDED) {
      phase = Phase.ENDED;
      giveBack();
      watcher.onEnd();
    }
  }

  private long offset(int block) {
    return workload.offset() + (firstBlock + block) * workload.blockBytes();
  }
}
