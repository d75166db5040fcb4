package io.remora.verbs.ibverbs;

import io.remora.base.Loop;
import io.remora.base.Pollable;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Tells the completion queues of a context when to look for completions: in every turn while the loop does not sleep, and by the device's events while it does.
 * So a busy loop makes no system call to be notified. Belongs to its loop; allocates nothing per event.
 */
final class CompletionChannel implements Pollable {
  /** Acknowledging costs a lock, so a queue gathers that many. */
  static final int EVENTS_PER_ACKNOWLEDGEMENT = 64;

  private final Loop loop;
  private final OpenDevice device;
  private final long channel;
  private final Loop.Watch watch;
  private final Arena arena;
  private final long event;
  private @Nullable IbvCompletionQueue[] queues = new IbvCompletionQueue[4];
  private int count;

  CompletionChannel(Loop loop, OpenDevice device) {
    this.loop = loop;
    this.device = device;
    this.channel = NativeErrors.check(device.libraries.verbs().createCompChannel.call(device.context),
        device.what("completion channel"));
    int descriptor = Memory.getInt(channel + ChannelLayout.FD);
    NativeErrors.check(device.libraries.system().setNonBlocking(descriptor), device.what("completion channel"));
    this.arena = loop.newArena();
    this.event = arena.allocate(16, 8).address();
    this.watch = loop.watch(descriptor, this::onReadable);
    loop.add(this);
  }

  /** The native channel. */
  long address() {
    return channel;
  }

  /** The slot of a queue, which the device hands back with its events. */
  int add(IbvCompletionQueue queue) {
    int slot = 0;
    while (slot < queues.length && queues[slot] != null) {
      slot++;
    }
    if (slot == queues.length) {
      queues = Arrays.copyOf(queues, 2 * slot);
    }
    queues[slot] = queue;
    count = Math.max(count, slot + 1);
    return slot;
  }

  void remove(int slot) {
    queues[slot] = null;
    while (count > 0 && queues[count - 1] == null) {
      count--;
    }
  }

  @Override
  public int poll() {
    int work = 0;
    for (int i = 0; i < count; i++) {
      IbvCompletionQueue queue = queues[i];
      work += queue == null ? 0 : queue.look();
    }
    return work;
  }

  @Override
  public boolean arm() {
    boolean armed = true;
    for (int i = 0; i < count; i++) {
      IbvCompletionQueue queue = queues[i];
      armed &= queue == null || queue.arm();
    }
    return armed;
  }

  private void onReadable() {
    while (device.path.getCqEvent(channel, event, event + 8) == 0) {
      int slot = (int) Memory.getLong(event + 8);
      IbvCompletionQueue queue = slot < count ? queues[slot] : null;
      if (queue != null && queue.address() == Memory.getLong(event)) {
        queue.onEvent();
      } else {
        device.path.ackCqEvents(Memory.getLong(event), 1);
      }
    }
  }

  /** All queues have been closed. */
  void close() {
    loop.remove(this);
    watch.close();
    device.libraries.verbs().destroyCompChannel.call(channel);
    arena.close();
  }
}
