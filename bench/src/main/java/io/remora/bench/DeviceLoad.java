package io.remora.bench;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Requests on one device that submit themselves again until a batch is through. Belongs to an {@link OnLoop}'s loop. */
final class DeviceLoad {
  /** Requests per batch. */
  static final int BATCH = 20_000;

  /** The part of the device that is used. */
  static final long RANGE_BYTES = 64L << 20;

  private final OnLoop loop;
  private final BlockChannel channel;
  private final IoRequest[] requests;
  private final MemorySegment memory;
  private final IoRequest.Op op;
  private final int bytes;
  private final Runnable begin = this::begin;
  private int toSubmit;
  private int toComplete;
  private boolean inOrder;
  private long random = 1;

  DeviceLoad(OnLoop loop, BlockDevice device, IoRequest.Op op, int bytes, int depth) {
    this.loop = loop;
    this.op = op;
    this.bytes = bytes;
    this.channel = loop.make(() -> device.open(loop.loop()));
    this.memory = Arena.ofAuto().allocate((long) depth * bytes, 4096);
    this.requests = new IoRequest[depth];
    for (int i = 0; i < depth; i++) {
      long from = (long) i * bytes;
      requests[i] = new IoRequest(request -> completed(request, from));
    }
  }

  /** Writes the whole range once, so that reads find data. */
  static void fill(OnLoop loop, BlockDevice device) {
    DeviceLoad load = new DeviceLoad(loop, device, IoRequest.Op.WRITE,
        Math.toIntExact(RANGE_BYTES / BATCH / 512 + 1) * 512, 1);
    load.inOrder = true;
    load.run();
  }

  /** One batch of {@link #BATCH}; from the benchmark's thread. */
  void run() {
    loop.run(begin);
  }

  private void begin() {
    toSubmit = BATCH;
    toComplete = BATCH;
    for (int i = 0; i < requests.length; i++) {
      submit(requests[i], (long) i * bytes);
    }
  }

  private void completed(IoRequest request, long from) {
    if (request.status != Status.OK) {
      throw new IllegalStateException(request + ": " + request.status);
    }
    if (--toComplete == 0) {
      loop.done();
    } else if (toSubmit > 0) {
      submit(request, from);
    }
  }

  private void submit(IoRequest request, long from) {
    toSubmit--;
    random = random * 6364136223846793005L + 1442695040888963407L;
    long block = (inOrder ? toSubmit : random >>> 33) % (RANGE_BYTES / bytes);
    request.prepare(op, block * bytes, bytes);
    request.sgl.add(memory, from, bytes);
    channel.submit(request);
  }
}
