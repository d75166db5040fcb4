package io.remora.bench;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Requests on one device that submit themselves again until a batch is through. Belongs to an {@link OnLoop}'s loop; the device's channel may
 * belong to another one, then each request is handed over and handed back.
 */
final class DeviceLoad {
  /** Requests per batch. */
  static final int BATCH = 20_000;

  /** The largest blocks that devices here have. */
  private static final int BLOCK_BYTES = 4096;

  /** The part of the device that is used. */
  static final long RANGE_BYTES = 64L << 20;

  private final OnLoop loop;
  private final OnLoop owner;
  private final BlockChannel channel;
  private final IoRequest[] requests;
  /** For each request, to go over to the channel's loop and to come back. */
  private final Runnable[] there;
  private final Runnable[] back;
  private final MemorySegment memory;
  private final IoRequest.Op op;
  private final int bytes;
  private final Runnable begin = this::begin;
  private int toSubmit;
  private int toComplete;
  private int batch = BATCH;
  private boolean inOrder;
  private long random = 1;

  DeviceLoad(OnLoop loop, BlockDevice device, IoRequest.Op op, int bytes, int depth) {
    this(loop, loop, device, op, bytes, depth);
  }

  /** A load from {@code loop} through a channel of {@code owner}'s loop. */
  DeviceLoad(OnLoop loop, OnLoop owner, BlockDevice device, IoRequest.Op op, int bytes, int depth) {
    this.loop = loop;
    this.owner = owner;
    this.op = op;
    this.bytes = bytes;
    this.channel = owner.make(() -> device.open(owner.loop()));
    this.memory = Arena.ofAuto().allocate((long) depth * bytes, 4096);
    this.requests = new IoRequest[depth];
    this.there = new Runnable[depth];
    this.back = new Runnable[depth];
    for (int i = 0; i < depth; i++) {
      int index = i;
      requests[i] = new IoRequest(request -> ended(index));
      there[i] = () -> channel.submit(requests[index]);
      back[i] = () -> completed(index);
    }
  }

  /** Writes the whole range once, so that reads find data. */
  static void fill(OnLoop loop, BlockDevice device) {
    DeviceLoad load = new DeviceLoad(loop, device, IoRequest.Op.WRITE,
        Math.ceilDiv(Math.toIntExact(RANGE_BYTES / BATCH), BLOCK_BYTES) * BLOCK_BYTES, 1);
    load.inOrder = true;
    load.run();
  }

  /** One batch of {@link #BATCH}; from the benchmark's thread. */
  void run() {
    loop.run(begin);
  }

  /** One batch of {@link #BATCH} shared by two loads that run at the same time. */
  static void runBoth(DeviceLoad one, DeviceLoad two) {
    one.batch = BATCH / 2;
    two.batch = BATCH / 2;
    one.loop.begin(one.begin);
    two.loop.begin(two.begin);
    one.loop.end();
    two.loop.end();
  }

  private void begin() {
    toSubmit = batch;
    toComplete = batch;
    for (int i = 0; i < requests.length; i++) {
      submit(i);
    }
  }

  private void ended(int index) {
    if (owner == loop) {
      completed(index);
    } else {
      loop.loop().execute(back[index]);
    }
  }

  private void completed(int index) {
    IoRequest request = requests[index];
    if (request.status != Status.OK) {
      throw new IllegalStateException(request + ": " + request.status);
    }
    if (--toComplete == 0) {
      loop.done();
    } else if (toSubmit > 0) {
      submit(index);
    }
  }

  private void submit(int index) {
    IoRequest request = requests[index];
    toSubmit--;
    random = random * 6364136223846793005L + 1442695040888963407L;
    long block = (inOrder ? toSubmit : random >>> 33) % (RANGE_BYTES / bytes);
    request.prepare(op, block * bytes, bytes);
    request.sgl.add(memory, (long) index * bytes, bytes);
    if (owner == loop) {
      channel.submit(request);
    } else {
      owner.loop().execute(there[index]);
    }
  }
}
