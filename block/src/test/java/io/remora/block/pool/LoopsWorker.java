package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One loop's share of random work on a volume that several real loops use. Belongs to that loop.
 *
 * <p>Each block holds zeros, or its own number and a count that rises with each write of it. A block is written by one worker, and one
 * write of it is in flight at a time, so that worker knows what it must read there; of the others' blocks it knows that nothing
 * but zeros or the block's own number may be there, and that a count never falls where nothing is deallocated.
 */
final class LoopsWorker {
  static final int BLOCK = 4096;
  static final int BLOCKS_PER_CLUSTER = PoolWorld.CLUSTER / BLOCK;
  private static final int IN_FLIGHT = 12;

  private final int index;
  private final int workers;
  private final int operations;
  private final int blocks;
  private final SplittableRandom random;
  private final AtomicBoolean stop;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final long[] written;
  private final long[] seen;
  /** How often each block was changed, counted when that begins. */
  private final int[] changes;
  private final BitSet busy;
  private final BlockChannel channel;
  private int begun;
  private int running;

  /** Works until it has done {@code operations}, or until {@code stop}. */
  LoopsWorker(int index, int workers, Volume volume, Loop loop, int operations, AtomicBoolean stop) {
    this.index = index;
    this.workers = workers;
    this.operations = operations;
    this.blocks = (int) (volume.sizeBytes() / BLOCK);
    this.stop = stop;
    this.random = new SplittableRandom(index);
    this.written = new long[blocks];
    this.seen = new long[blocks];
    this.changes = new int[blocks];
    this.busy = new BitSet(blocks);
    this.channel = volume.open(loop);
  }

  CompletableFuture<Void> run() {
    for (int i = 0; i < IN_FLIGHT; i++) {
      next(Arena.ofAuto().allocate(4 * BLOCK, 4096));
    }
    return ended;
  }

  /** The even clusters are shared block by block, and stay; the odd ones belong to one worker each, which gives them back. */
  private boolean mine(int block) {
    int cluster = block / BLOCKS_PER_CLUSTER;
    return (cluster % 2 == 0 ? block : cluster / 2) % workers == index;
  }

  private void next(MemorySegment memory) {
    if (begun == operations || stop.get() || ended.isDone()) {
      if (running == 0) {
        channel.close();
        ended.complete(null);
      }
      return;
    }
    begun++;
    int block = random.nextInt(blocks);
    int what = random.nextInt(32);
    if (what == 0) {
      submit(Op.FLUSH, 0, 0, false, memory);
    } else if (mine(block) && !busy.get(block) && what < 14) {
      write(block, what == 1, memory);
    } else if (what < 18 && block / BLOCKS_PER_CLUSTER % 2 == 1 && mine(block)) {
      deallocate(block - block % BLOCKS_PER_CLUSTER, memory);
    } else {
      submit(Op.READ, block, Math.min(blocks - block, 1 + random.nextInt(4)), false, memory);
    }
  }

  private void write(int block, boolean fua, MemorySegment memory) {
    long count = Math.max(written[block], seen[block]) + 1;
    written[block] = count;
    for (long at = 0; at < BLOCK; at += 16) {
      memory.set(ValueLayout.JAVA_LONG, at, block + 1L);
      memory.set(ValueLayout.JAVA_LONG, at + 8, count);
    }
    submit(Op.WRITE, block, 1, fua, memory);
  }

  private void deallocate(int first, MemorySegment memory) {
    int at = busy.nextSetBit(first);
    if (at >= 0 && at < first + BLOCKS_PER_CLUSTER) {
      submit(Op.READ, first, 1, false, memory);
      return;
    }
    Arrays.fill(written, first, first + BLOCKS_PER_CLUSTER, 0);
    submit(Op.DEALLOCATE, first, BLOCKS_PER_CLUSTER, false, memory);
  }

  private void submit(Op op, int first, int count, boolean fua, MemorySegment memory) {
    // What was known before the read began must still be there.
    boolean[] steady = new boolean[count];
    for (int i = 0; i < count; i++) {
      steady[i] = op == Op.READ && mine(first + i) && !busy.get(first + i);
    }
    int[] changesBefore = Arrays.copyOfRange(changes, first, first + count);
    long[] least = Arrays.copyOfRange(seen, first, first + count);
    if (op == Op.WRITE || op == Op.DEALLOCATE) {
      busy.set(first, first + count);
      for (int i = first; i < first + count; i++) {
        changes[i]++;
      }
    }
    running++;
    IoRequest request = new IoRequest(done -> {
      running--;
      try {
        if (done.status != Status.OK) {
          throw new AssertionError(done + ": " + done.status);
        }
        for (int i = 0; i < count; i++) {
          if (op == Op.READ) {
            check(first + i, memory, (long) i * BLOCK, steady[i] && changesBefore[i] == changes[first + i], least[i]);
          }
        }
        if (op == Op.WRITE || op == Op.DEALLOCATE) {
          busy.clear(first, first + count);
        }
      } catch (Throwable e) {
        ended.completeExceptionally(e);
      }
      next(memory);
    }).prepare(op, (long) first * BLOCK, (long) count * BLOCK);
    request.fua = fua;
    if (request.hasData()) {
      request.sgl.add(memory, 0, (long) count * BLOCK);
    }
    channel.submit(request);
  }

  private void check(int block, MemorySegment memory, long from, boolean exact, long least) {
    long number = memory.get(ValueLayout.JAVA_LONG, from);
    long count = memory.get(ValueLayout.JAVA_LONG, from + 8);
    boolean steadyCluster = block / BLOCKS_PER_CLUSTER % 2 == 0;
    if (number != 0 && number != block + 1L) {
      throw new AssertionError("loop %d: block %d holds data of block %d".formatted(index, block, number - 1));
    }
    if (exact && count != written[block]) {
      throw new AssertionError("loop %d: block %d holds write %d, not %d".formatted(index, block, count,
          written[block]));
    }
    if (steadyCluster && count < least) {
      throw new AssertionError("loop %d: block %d went back from write %d to %d".formatted(index, block, least,
          count));
    }
    seen[block] = Math.max(seen[block], count);
  }
}
