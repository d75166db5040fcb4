package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.soft.Children;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One loop's part of an open device: its completion channel, its connection manager, what is open on it. Belongs to its loop. */
final class IbvContext implements Context {
  private static final long PAGE_BYTES = 4096;

  private final Loop loop;
  private final OpenDevice device;
  private final Children children = new Children();
  private final CompletionChannel channel;
  private final Loop.Watch asyncWatch;
  private final Map<Integer, IbvQueuePair> queuePairs = new HashMap<>();
  private @Nullable IbvConnections connections;
  private @Nullable Consumer<AsyncEvent> listener;
  private boolean closed;

  /** On the loop's thread. */
  IbvContext(Loop loop, OpenDevice device) {
    this.loop = loop;
    this.device = device;
    this.channel = new CompletionChannel(loop, device);
    this.asyncWatch = loop.watch(device.events.descriptor(), device.events::read);
    device.events.add(this);
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public DeviceAttributes attributes() {
    return device.attributes;
  }

  OpenDevice device() {
    return device;
  }

  CompletionChannel channel() {
    return channel;
  }

  Children children() {
    return children;
  }

  @Override
  public ProtectionDomain allocateProtectionDomain() {
    requireOpen();
    return new IbvProtectionDomain(this);
  }

  @Override
  public CompletionQueue createCompletionQueue(int entries, @Nullable Runnable onEvent) {
    requireOpen();
    Check.argument(entries >= 1 && entries <= attributes().maxCompletions(), "%d completions: 1 to %d", entries,
        attributes().maxCompletions());
    return new IbvCompletionQueue(this, entries, onEvent);
  }

  @Override
  public ConnectionManager connectionManager() {
    return connections();
  }

  IbvConnections connections() {
    requireOpen();
    IbvConnections known = connections;
    if (known == null) {
      known = new IbvConnections(this);
      connections = known;
    }
    return known;
  }

  @Override
  public void onAsyncEvent(@Nullable Consumer<AsyncEvent> to) {
    listener = to;
  }

  void add(IbvQueuePair queuePair) {
    queuePairs.put(queuePair.number(), queuePair);
  }

  void remove(IbvQueuePair queuePair) {
    queuePairs.remove(queuePair.number());
  }

  /** A completion says that queue pair {@code number} has failed. */
  void failed(int number) {
    IbvQueuePair queuePair = queuePairs.get(number);
    if (queuePair != null) {
      queuePair.failed();
    }
  }

  /** Something has happened to the device or to an object of this context. */
  void hear(AsyncEvent event) {
    if (event.queuePair() instanceof IbvQueuePair queuePair) {
      switch (event.kind()) {
        case QUEUE_PAIR_FATAL, QUEUE_PAIR_REQUEST_ERROR, QUEUE_PAIR_ACCESS_ERROR -> queuePair.failed();
        default -> {
          // It works on.
        }
      }
    }
    Consumer<AsyncEvent> to = listener;
    if (to != null && !closed) {
      to.accept(event);
    }
  }

  @Override
  public MemorySegment allocate(Arena arena, long bytes) {
    Check.argument(bytes >= 1, "%d bytes of memory", bytes);
    return arena.allocate(bytes, PAGE_BYTES);
  }

  private void requireOpen() {
    assert loop.inLoop();
    Check.that(!closed, "the device is closed");
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    children.none("ibverbs device " + device.name);
    closed = true;
    if (connections != null) {
      connections.close();
    }
    asyncWatch.close();
    device.events.remove(this);
    channel.close();
  }
}
