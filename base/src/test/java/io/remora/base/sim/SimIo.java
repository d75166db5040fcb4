package io.remora.base.sim;

import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Block I/O for tests: one operation at a time, run to its end, or left in flight. */
final class SimIo {
  static final long LIMIT_NS = 60_000_000_000L;

  private final Simulation simulation;
  private final SimLoop loop;
  private final DiskFile file;

  SimIo(SimLoop loop, DiskFile file) {
    this.simulation = loop.simulation();
    this.loop = loop;
    this.file = file;
  }

  Status write(long offset, byte[] content) {
    return await(begin(Op.WRITE, offset, content.length, content, false));
  }

  Status writeFua(long offset, byte[] content) {
    return await(begin(Op.WRITE, offset, content.length, content, true));
  }

  Status flush() {
    return await(begin(Op.FLUSH, 0, 0, null, false));
  }

  Status run(Op op, long offset, long length) {
    return await(begin(op, offset, length, null, false));
  }

  byte[] read(long offset, int length) {
    AtomicReference<@Nullable Status> status = new AtomicReference<>();
    MemorySegment memory = Arena.ofAuto().allocate(length);
    loop.run(() -> {
      IoRequest request = new IoRequest(done -> status.set(done.status)).prepare(Op.READ, offset, length);
      request.sgl.add(memory, 0, length);
      file.submit(request);
    });
    Status result = await(status);
    if (!result.isOk()) {
      throw new AssertionError("read: " + result);
    }
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  AtomicReference<@Nullable Status> begin(Op op, long offset, long length, byte @Nullable [] content, boolean fua) {
    AtomicReference<@Nullable Status> status = new AtomicReference<>();
    loop.run(() -> {
      IoRequest request = new IoRequest(done -> status.set(done.status)).prepare(op, offset, length);
      request.fua = fua;
      if (content != null) {
        MemorySegment memory = Arena.ofAuto().allocate(Math.max(1, content.length));
        MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, 0, content.length);
        request.sgl.add(memory, 0, content.length);
      } else if (request.hasData()) {
        request.sgl.add(Arena.ofAuto().allocate(length), 0, length);
      }
      file.submit(request);
    });
    return status;
  }

  Status await(AtomicReference<@Nullable Status> status) {
    simulation.runUntil(() -> status.get() != null, LIMIT_NS);
    return Objects.requireNonNull(status.get());
  }

  static byte[] filled(int length, int value) {
    byte[] content = new byte[length];
    Arrays.fill(content, (byte) value);
    return content;
  }
}
