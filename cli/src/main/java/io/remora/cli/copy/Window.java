package io.remora.cli.copy;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/**
 * A window of requests on a device for one thread that may block, in a ring: whoever comes to a slot again waits for what it was
 * used for. Requests are submitted on the device's loop.
 */
final class Window implements AutoCloseable {
  private static final int ALIGNMENT = 4096;

  /** A request and its memory. */
  final class Slot {
    private final IoRequest request = new IoRequest(this::completed);
    private final Semaphore free = new Semaphore(1);
    private final MemorySegment memory;
    private final ByteBuffer view;
    private int used;

    private Slot(MemorySegment memory) {
      this.memory = memory;
      this.view = memory.asByteBuffer();
    }

    /** Its memory, while it is not in flight. */
    MemorySegment memory() {
      return memory;
    }

    /** A view of its memory, from the beginning and to the end. */
    ByteBuffer view() {
      return view.clear();
    }

    /** How much of the memory the last request used, in bytes. */
    int used() {
      return used;
    }

    /** How the last request ended. */
    Status status() {
      return request.status;
    }

    private void completed(IoRequest done) {
      free.release();
    }

    private void submit(Op op, long offset, long length) {
      used = op == Op.READ || op == Op.WRITE ? (int) length : 0;
      loop.execute(() -> {
        request.prepare(op, offset, length);
        if (used > 0) {
          request.sgl.add(memory, 0, used);
        }
        channel.submit(request);
      });
    }
  }

  private final Loop loop;
  private final BlockDevice device;
  private final BlockChannel channel;
  private final Arena arena = Arena.ofShared();
  private final Slot[] slots;

  /** {@code count} slots of {@code slotBytes} on a channel of its own. */
  Window(Loop loop, BlockDevice device, int count, int slotBytes) throws InterruptedException {
    this.loop = loop;
    this.device = device;
    MemorySegment memory = arena.allocate((long) count * slotBytes, ALIGNMENT);
    slots = new Slot[count];
    for (int i = 0; i < count; i++) {
      slots[i] = new Slot(memory.asSlice((long) i * slotBytes, slotBytes));
    }
    CompletableFuture<BlockChannel> opened = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        opened.complete(device.open(loop));
      } catch (RemoraException e) {
        opened.completeExceptionally(e);
      }
    });
    try {
      channel = opened.get();
    } catch (java.util.concurrent.ExecutionException e) {
      arena.close();
      throw e.getCause() instanceof RemoraException known ? known : new IllegalStateException(e);
    }
  }

  int count() {
    return slots.length;
  }

  /**
   * The slot of turn {@code index}, once it is free.
   *
   * @throws RemoraException when what it was used for has failed
   */
  Slot take(long index) throws InterruptedException {
    Slot slot = slots[(int) (index % slots.length)];
    slot.free.acquire();
    if (!slot.request.status.isOk()) {
      IoRequest failed = slot.request;
      Status status = failed.status;
      slot.free.release();
      throw new RemoraException(status, device.name() + ": " + failed.op.name().toLowerCase(Locale.ROOT) + " of "
          + failed.length + " bytes at offset " + failed.offset + " failed: " + status.text());
    }
    return slot;
  }

  /** As {@link #take}, whether what it was used for has failed or not: {@link Slot#status} tells. */
  Slot await(long index) {
    Slot slot = slots[(int) (index % slots.length)];
    slot.free.acquireUninterruptibly();
    return slot;
  }

  /** Starts a request in a slot that was {@linkplain #take taken}. */
  void submit(Slot slot, Op op, long offset, long length) {
    slot.submit(op, offset, length);
  }

  /** Gives a slot back that was taken and is not used. */
  void release(Slot slot) {
    slot.free.release();
  }

  /** Waits for everything in flight. */
  void drain() throws InterruptedException {
    for (int i = 0; i < slots.length; i++) {
      release(take(i));
    }
  }

  /** Makes everything durable that was written. */
  void flush() throws InterruptedException {
    drain();
    submit(take(0), Op.FLUSH, 0, 0);
    drain();
  }

  /** Waits for what is in flight, whether it fails or not. */
  @Override
  public void close() {
    for (Slot slot : slots) {
      slot.free.acquireUninterruptibly();
    }
    CompletableFuture<Void> closed = new CompletableFuture<>();
    loop.execute(() -> {
      channel.close();
      closed.complete(null);
    });
    closed.join();
    arena.close();
  }
}
