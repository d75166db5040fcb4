package io.remora.block;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.Simulation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Block I/O for tests: one operation at a time, run to its end, or left in flight. */
public final class Io {
  /** Virtual time in which anything must end. */
  public static final long LIMIT_NS = 600_000_000_000L;

  private final Simulation simulation;
  private final SimLoop loop;
  private final BlockChannel channel;

  public Io(Simulation simulation, SimLoop loop, BlockDevice device) {
    this.simulation = simulation;
    this.loop = loop;
    this.channel = loop.call(() -> device.open(loop));
  }

  public BlockChannel channel() {
    return channel;
  }

  public Status write(long offset, byte[] content) {
    return await(begin(Op.WRITE, offset, content.length, content, false));
  }

  public Status writeFua(long offset, byte[] content) {
    return await(begin(Op.WRITE, offset, content.length, content, true));
  }

  public Status compare(long offset, byte[] content) {
    return await(begin(Op.COMPARE, offset, content.length, content, false));
  }

  public Status flush() {
    return await(begin(Op.FLUSH, 0, 0, null, false));
  }

  public Status zero(long offset, long length) {
    return await(begin(Op.WRITE_ZEROES, offset, length, null, false));
  }

  public Status deallocate(long offset, long length) {
    return await(begin(Op.DEALLOCATE, offset, length, null, false));
  }

  /** What is there; fails when the read does. The list is in pieces, to try that too. */
  public byte[] read(long offset, int length) {
    AtomicReference<@Nullable IoRequest> ended = new AtomicReference<>();
    MemorySegment memory = Arena.ofAuto().allocate(length + 3L);
    memory.fill((byte) 0x5A);
    loop.run(() -> {
      IoRequest request = new IoRequest(ended::set).prepare(Op.READ, offset, length);
      int first = length / 3;
      request.sgl.add(memory, 0, first);
      request.sgl.add(memory, first + 1L, length - first);
      channel.submit(request);
    });
    simulation.runUntil(() -> ended.get() != null, LIMIT_NS);
    Status status = Objects.requireNonNull(ended.get()).status;
    if (!status.isOk()) {
      throw new AssertionError("read of " + offset + "+" + length + ": " + status);
    }
    byte[] content = new byte[length];
    Objects.requireNonNull(ended.get()).sgl.copyTo(0, MemorySegment.ofArray(content), 0, length);
    return content;
  }

  public Status readStatus(long offset, long length) {
    return await(begin(Op.READ, offset, length, null, false));
  }

  public AtomicReference<@Nullable Status> begin(Op op, long offset, long length, byte @Nullable [] content,
      boolean fua) {
    AtomicReference<@Nullable Status> status = new AtomicReference<>();
    loop.run(() -> {
      boolean[] inside = {true};
      IoRequest request = new IoRequest(done -> {
        if (inside[0]) {
          throw new AssertionError("completed inside submit: " + done);
        }
        status.set(done.status);
      }).prepare(op, offset, length);
      request.fua = fua;
      if (content != null) {
        MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, content.length));
        MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 0, content.length);
        int first = content.length / 3;
        request.sgl.add(memory, 0, first);
        request.sgl.add(memory, first, content.length - first);
      } else if (request.hasData()) {
        request.sgl.add(Arena.ofAuto().allocate(length), 0, length);
      }
      channel.submit(request);
      inside[0] = false;
    });
    return status;
  }

  public Status await(AtomicReference<@Nullable Status> status) {
    simulation.runUntil(() -> status.get() != null, LIMIT_NS);
    return Objects.requireNonNull(status.get());
  }

  /** Runs the simulation until {@code future} has ended, and returns its value or throws what it failed with. */
  public static <T extends @Nullable Object> T await(Simulation simulation, CompletableFuture<T> future) {
    simulation.runUntil(future::isDone, LIMIT_NS);
    try {
      return future.join();
    } catch (java.util.concurrent.CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }

  public static byte[] filled(int length, int value) {
    byte[] content = new byte[length];
    Arrays.fill(content, (byte) value);
    return content;
  }
}
