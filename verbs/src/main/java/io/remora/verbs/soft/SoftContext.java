package io.remora.verbs.soft;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AddressHandle;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Capability;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.WorkRequest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** An open device in software. Belongs to its loop. */
public abstract class SoftContext implements Context {
  private static final long PAGE_BYTES = 4096;

  private final Loop loop;
  private final DeviceAttributes attributes;
  private final KeyTable keys;
  private final Children children = new Children();
  private final Map<Integer, SoftQueuePair> queuePairs = new HashMap<>();
  private @Nullable Consumer<AsyncEvent> listener;
  private boolean closed;

  /** On the loop's thread. */
  protected SoftContext(Loop loop, DeviceAttributes attributes) {
    this.loop = loop;
    this.attributes = attributes;
    this.keys = new KeyTable(loop.random(), attributes.maxRegions());
  }

  @Override
  public final Loop loop() {
    return loop;
  }

  @Override
  public final DeviceAttributes attributes() {
    return attributes;
  }

  /** The keys of its memory regions and windows. */
  public final KeyTable keys() {
    return keys;
  }

  /** The queue pair of that number, or null. */
  public final @Nullable SoftQueuePair queuePair(int number) {
    return queuePairs.get(number);
  }

  /** Makes the provider's queue pair; the configuration has been {@linkplain #check checked}. */
  protected abstract SoftQueuePair newQueuePair(SoftProtectionDomain domain, QueuePairConfig config);

  /** Whether {@code queuePair} may have that number; for providers that share numbers with other processes. */
  protected boolean claim(SoftQueuePair queuePair, int number) {
    return true;
  }

  /** Makes the provider's protection domain. */
  protected SoftProtectionDomain newProtectionDomain() {
    return new SoftProtectionDomain(this);
  }

  /** Makes the provider's address handle; for those that are capable of UD. */
  protected AddressHandle newAddressHandle(SoftProtectionDomain domain, InetSocketAddress destination) {
    throw unsupported("an address handle");
  }

  /** The loop's thread leaves the device: nothing of it is open any more. */
  protected void onClosed() {}

  /** Refuses, naming provider and operation, unless the device is capable. */
  public final void require(Capability capability, String operation) {
    if (!attributes.can(capability)) {
      throw unsupported(operation);
    }
  }

  private RemoraException unsupported(String operation) {
    return new RemoraException(Status.UNSUPPORTED,
        "provider " + attributes.provider() + ", device " + attributes.name() + ": " + operation + " is not supported");
  }

  /** Refuses a configuration that the device cannot have. */
  public final void check(QueuePairConfig config) {
    require(config.type().capability(), "a queue pair of type " + config.type());
    Check.argument(config.sendCompletions() instanceof SoftCompletionQueue send && send.context() == this
        && config.receiveCompletions() instanceof SoftCompletionQueue receive && receive.context() == this,
        "a queue pair's completion queues must be its own context's");
    Check.argument(config.maxSends() >= 1 && config.maxSends() <= attributes.maxWorkRequests(), "%d sends: 1 to %d",
        config.maxSends(),
        attributes.maxWorkRequests());
    Check.argument(config.maxReceives() >= 0 && config.maxReceives() <= attributes.maxWorkRequests(),
        "%d receives: 0 to %d",
        config.maxReceives(), attributes.maxWorkRequests());
    int most = Math.min(attributes.maxPieces(), WorkRequest.MAX_PIECES);
    Check.argument(config.maxPieces() >= 0 && config.maxPieces() <= most, "%d pieces: 0 to %d", config.maxPieces(),
        most);
    Check.argument(config.maxInlineBytes() >= 0 && config.maxInlineBytes() <= attributes.maxInlineBytes(),
        "%d bytes inline: 0 to %d",
        config.maxInlineBytes(), attributes.maxInlineBytes());
    if (queuePairs.size() >= attributes.maxQueuePairs()) {
      throw new RemoraException(Status.NO_RESOURCES, attributes.maxQueuePairs() + " queue pairs are open: close some");
    }
  }

  @Override
  public final ProtectionDomain allocateProtectionDomain() {
    Check.that(!closed, "the device is closed");
    return newProtectionDomain();
  }

  @Override
  public final CompletionQueue createCompletionQueue(int entries, @Nullable Runnable onEvent) {
    Check.that(!closed, "the device is closed");
    Check.argument(entries >= 1 && entries <= attributes.maxCompletions(), "%d completions: 1 to %d", entries,
        attributes.maxCompletions());
    return new SoftCompletionQueue(this, entries, onEvent);
  }

  @Override
  public final void onAsyncEvent(@Nullable Consumer<AsyncEvent> to) {
    listener = to;
  }

  /** Tells the listener at the end of this turn. */
  public final void raise(AsyncEvent event) {
    loop.defer(() -> {
      Consumer<AsyncEvent> to = listener;
      if (to != null) {
        to.accept(event);
      }
    });
  }

  @Override
  public MemorySegment allocate(Arena arena, long bytes) {
    Check.argument(bytes >= 1, "%d bytes of memory", bytes);
    return arena.allocate(bytes, PAGE_BYTES);
  }

  @Override
  public final void close() {
    if (!closed) {
      children.none(attributes.provider() + " device " + attributes.name());
      closed = true;
      onClosed();
    }
  }

  /** One more of a kind. */
  public final void opened(String kind) {
    children.opened(kind);
  }

  /** One less of a kind. */
  public final void closed(String kind) {
    children.closed(kind);
  }

  int add(SoftQueuePair queuePair) {
    int number;
    do {
      number = 2 + loop.random().nextInt((1 << 24) - 3);
    } while (queuePairs.containsKey(number) || !claim(queuePair, number));
    queuePairs.put(number, queuePair);
    return number;
  }

  void remove(SoftQueuePair queuePair) {
    queuePairs.remove(queuePair.number());
  }
}
