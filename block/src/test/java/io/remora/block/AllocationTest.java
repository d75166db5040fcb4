package io.remora.block;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.remora.base.Clock;
import io.remora.base.Disk;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.Net;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** I/O on memory allocates nothing once it is warm. */
class AllocationTest {
  /** A loop that only defers, on the thread of the test. */
  private static final class DeferLoop implements Loop {
    private final @Nullable Runnable[] deferred = new Runnable[64];
    private int count;

    void turn() {
      for (int i = 0; i < count; i++) {
        Runnable task = deferred[i];
        if (task != null) {
          task.run();
        }
      }
      count = 0;
    }

    @Override
    public void defer(Runnable task) {
      deferred[count++] = task;
    }

    @Override
    public boolean inLoop() {
      return true;
    }

    @Override
    public String name() {
      return "defer";
    }

    @Override
    public Clock clock() {
      throw new UnsupportedOperationException();
    }

    @Override
    public RandomGenerator random() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Net net() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Disk disk() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Timer timer(Runnable task) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void execute(Runnable task) {
      throw new UnsupportedOperationException();
    }
  }

  private final DeferLoop loop = new DeferLoop();
  private int ended;

  @Test
  void memoryNullAndErrorAllocateNothing() {
    MemoryDevice memory = new MemoryDevice("m", new UUID(0, 1), 16 << 20, 512);
    check(memory);
    check(new NullDevice("n", new UUID(0, 2), 16 << 20, 512));
    ErrorDevice errors = new ErrorDevice(memory);
    errors.add(ErrorDevice.Rule.failing(Op.WRITE).at(15 << 20, 512), 1);
    check(errors);
  }

  private void check(BlockDevice device) {
    BlockChannel channel = device.open(loop);
    IoRequest[] requests = new IoRequest[16];
    for (int i = 0; i < requests.length; i++) {
      requests[i] = new IoRequest(_ -> ended++);
    }
    MemorySegment memory = Arena.ofAuto().allocate(64 << 10, 4096);
    Op[] ops = {Op.WRITE, Op.READ, Op.COMPARE, Op.FLUSH, Op.WRITE_ZEROES};
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long allocated = Long.MAX_VALUE;
    // The compiler needs a while until it sees through everything; what counts is the state it reaches.
    for (int round = 0; round < 20 && allocated > 0; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 2_000; i++) {
        for (int j = 0; j < requests.length; j++) {
          Op op = ops[(i + j) % ops.length];
          long at = (i * 37L + j) % 240 * 65536 + 61440;
          IoRequest request = requests[j].prepare(op, at, 8192);
          if (request.hasData()) {
            request.sgl.add(memory, 0, 4096);
            request.sgl.add(memory, 8192, 4096);
          }
          channel.submit(request);
        }
        loop.turn();
      }
      allocated = threads.getCurrentThreadAllocatedBytes() - before;
    }
    assertThat(allocated).as("bytes for 32,000 requests on " + device.getClass().getSimpleName()).isLessThan(1024);
    assertThat(ended).isPositive();
  }
}
