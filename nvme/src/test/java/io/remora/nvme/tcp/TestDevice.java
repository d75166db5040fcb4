package io.remora.nvme.tcp;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.base.Timer;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** A device in memory whose requests take as long, and end as, the test says. */
public final class TestDevice implements BlockDevice {
  private static final byte[] ZEROS = new byte[4096];

  final MemorySegment memory;
  final List<IoRequest.Op> ops = new ArrayList<>();
  final List<String> log = new ArrayList<>();
  private final CopyOnWriteArrayList<Listener> listeners = new CopyOnWriteArrayList<>();
  private final UUID uuid;
  private final int blockSize;
  private volatile long sizeBytes;
  boolean recording = true;
  /** Hears of each request when it comes, and when it has been carried out. */
  Consumer<IoRequest> onSubmit = request -> {};
  Consumer<IoRequest> onDone = request -> {};
  boolean holding;
  private boolean lending;
  private int lent;
  Status fail = Status.OK;
  long delayNs;
  int openChannels;
  int held;
  private final ArrayDeque<Runnable> heldCompletions = new ArrayDeque<>();

  /** Of {@code sizeBytes}, in memory of {@code arena}. */
  public TestDevice(Arena arena, int blockSize, long sizeBytes) {
    this.memory = arena.allocate(sizeBytes + (16 << 20));
    this.blockSize = blockSize;
    this.uuid = new UUID(0x1234_5678_9abc_4defL, 0x8123_4567_89ab_0000L + blockSize);
    this.sizeBytes = sizeBytes;
  }

  void resize(long bytes) {
    sizeBytes = bytes;
    listeners.forEach(l -> l.onResized(this));
  }

  void remove() {
    listeners.forEach(l -> l.onRemoved(this, Status.MEDIUM_ERROR));
  }

  /** Who hears of each request when it comes. */
  public void onSubmit(Consumer<IoRequest> listener) {
    onSubmit = listener;
  }

  /** How long requests take, in nanoseconds. */
  public void delayNs(long ns) {
    delayNs = ns;
  }

  /** Whether requests wait for {@link #letGo}. */
  public void holding(boolean hold) {
    holding = hold;
  }

  /** Whether it lends its memory. */
  public void lending(boolean lend) {
    lending = lend;
  }

  /** How often it has. */
  public int lent() {
    return lent;
  }

  /** The channels that are open. */
  public int openChannels() {
    return openChannels;
  }

  /** Ends what was held, on the loop of the call. */
  public void letGo() {
    holding = false;
    while (!heldCompletions.isEmpty()) {
      heldCompletions.remove().run();
    }
  }

  /** What it holds. */
  public byte[] bytes(long offset, int length) {
    return memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
  }

  @Override
  public String name() {
    return "test";
  }

  @Override
  public UUID uuid() {
    return uuid;
  }

  @Override
  public int blockSize() {
    return blockSize;
  }

  @Override
  public long sizeBytes() {
    return sizeBytes;
  }

  @Override
  public boolean canDeallocate() {
    return true;
  }

  @Override
  public boolean volatileCache() {
    return true;
  }

  @Override
  public void addListener(Listener listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Listener listener) {
    listeners.remove(listener);
  }

  @Override
  public BlockChannel open(Loop loop) {
    openChannels++;
    return new Channel(loop);
  }

  private final class Channel implements BlockChannel {
    private final Loop loop;
    private final ArrayDeque<IoRequest> done = new ArrayDeque<>(512);
    private final Runnable deliver = this::deliver;
    private boolean deferred;

    Channel(Loop loop) {
      this.loop = loop;
    }

    @Override
    public BlockDevice device() {
      return TestDevice.this;
    }

    @Override
    public Loop loop() {
      return loop;
    }

    @Override
    public boolean lend(IoRequest request) {
      if (lending) {
        lent++;
        request.sgl.clear();
        request.sgl.add(memory, request.offset, request.length);
      }
      return lending;
    }

    @Override
    public void submit(IoRequest request) {
      request.begin();
      onSubmit.accept(request);
      if (recording) {
        ops.add(request.op);
        log.add(request.toString());
      }
      if (holding) {
        held++;
        heldCompletions.add(() -> loop.execute(() -> finish(request)));
      } else if (delayNs > 0) {
        Timer timer = loop.timer(() -> finish(request));
        timer.arm(delayNs);
      } else {
        done.add(request);
        if (!deferred) {
          deferred = true;
          loop.defer(deliver);
        }
      }
    }

    private void deliver() {
      deferred = false;
      for (int count = done.size(); count > 0; count--) {
        finish(done.remove());
      }
    }

    private void finish(IoRequest request) {
      if (fail != Status.OK) {
        request.complete(fail);
        return;
      }
      switch (request.op) {
        case READ -> request.sgl.copyFrom(0, memory, request.offset, request.length);
        case WRITE -> request.sgl.copyTo(0, memory, request.offset, request.length);
        case COMPARE -> {
          MemorySegment copy = MemorySegment.ofArray(new byte[(int) request.length]);
          request.sgl.copyTo(0, copy, 0, request.length);
          request.complete(copy.mismatch(memory.asSlice(request.offset, request.length)) < 0
              ? Status.OK
              : Status.MISCOMPARE);
          return;
        }
        case WRITE_ZEROES, DEALLOCATE -> memory.asSlice(request.offset, request.length).fill(ZEROS[0]);
        case FLUSH -> {
        }
      }
      onDone.accept(request);
      request.complete(Status.OK);
    }

    @Override
    public void close() {
      openChannels--;
    }
  }
}
