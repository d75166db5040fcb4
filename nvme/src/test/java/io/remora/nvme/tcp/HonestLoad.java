package io.remora.nvme.tcp;

import io.remora.base.IoRequest;
import io.remora.base.Timer;
import io.remora.base.sim.SimLoop;
import io.remora.block.BlockChannel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.random.RandomGenerator;

/**
 * An honest host's verified I/O: it writes and reads blocks by turns, one at a time, all the time, and no request may fail or return anything
 * else than what was written. Everything it writes is marked as {@link FuzzAnswers#SECRET}. Belongs to one loop.
 */
final class HonestLoad {
  private static final int BLOCKS = 256;
  private static final int MAX_BLOCKS = 24;
  private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED
      .withOrder(java.nio.ByteOrder.LITTLE_ENDIAN);

  private final SimLoop loop;
  private final BlockChannel channel;
  private final RandomGenerator random;
  private final long pauseNs;
  private final MemorySegment memory = Arena.ofAuto().allocate(MAX_BLOCKS * 512L, 8);
  private final IoRequest request = new IoRequest(r -> completed());
  private final int[] versions = new int[BLOCKS];
  private final Timer timer;
  private int nextVersion = 1;
  private boolean stopped;
  long done;

  /** One that waits up to {@code pauseNs} nanoseconds between requests. On the loop. */
  HonestLoad(SimLoop loop, BlockChannel channel, RandomGenerator random, long pauseNs) {
    this.loop = loop;
    this.channel = channel;
    this.random = random;
    this.pauseNs = pauseNs;
    this.timer = loop.timer(this::next);
    next();
  }

  void stop() {
    stopped = true;
  }

  /** After {@link #stop}, outside of the loop. */
  void goOn() {
    stopped = false;
    loop.run(this::next);
  }

  boolean idle() {
    return stopped && !request.pending();
  }

  private void next() {
    if (stopped) {
      return;
    }
    int count = 1 + random.nextInt(MAX_BLOCKS);
    int first = random.nextInt(BLOCKS - count + 1);
    boolean writes = random.nextBoolean();
    request.prepare(writes ? IoRequest.Op.WRITE : IoRequest.Op.READ, first * 512L, count * 512L);
    request.sgl.add(memory, 0, count * 512L);
    for (int i = 0; writes && i < count; i++) {
      versions[first + i] = nextVersion++;
      for (int at = 0; at < 512; at += 8) {
        memory.set(LE32, i * 512L + at, FuzzAnswers.SECRET);
        memory.set(LE32, i * 512L + at + 4, versions[first + i]);
      }
    }
    if (!writes) {
      memory.asSlice(0, count * 512L).fill((byte) 0x11);
    }
    channel.submit(request);
  }

  private void completed() {
    if (!request.status.isOk()) {
      throw new AssertionError("an honest host's " + request + " ended with " + request.status);
    }
    if (request.op == IoRequest.Op.READ) {
      verify();
    }
    done++;
    timer.arm(random.nextLong(pauseNs) + 1);
  }

  private void verify() {
    for (long at = 0; at < request.length; at += 8) {
      int version = versions[(int) ((request.offset + at) / 512)];
      if (memory.get(LE32, at) != (version == 0 ? 0 : FuzzAnswers.SECRET) || memory.get(LE32, at + 4) != version) {
        throw new AssertionError("an honest host's " + request + " returned something else at byte " + at);
      }
    }
  }
}
