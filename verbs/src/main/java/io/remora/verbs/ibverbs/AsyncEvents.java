package io.remora.verbs.ibverbs;

import io.remora.base.RemoraException;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.QueuePair;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The asynchronous events of a device, which all loops that have it open read from one descriptor: whichever loop finds an event hands it to the loop whose object it
 * is about. From any thread.
 */
final class AsyncEvents {
  private static final int MAX_AT_A_TIME = 64;

  private final OpenDevice device;
  private final Map<Long, Source> sources = new ConcurrentHashMap<>();
  private final List<IbvContext> contexts = new CopyOnWriteArrayList<>();

  /** A native object and whose it is. */
  record Source(IbvContext context, @Nullable QueuePair queuePair) {}

  AsyncEvents(OpenDevice device) {
    this.device = device;
    NativeErrors.check(device.libraries.system().setNonBlocking(descriptor()), device.what("asynchronous events"));
  }

  int descriptor() {
    return Memory.getInt(device.context + ContextLayout.ASYNC_FD);
  }

  void add(IbvContext context) {
    contexts.add(context);
  }

  void remove(IbvContext context) {
    contexts.remove(context);
  }

  /** Events about the object at {@code address} go to {@code context}. */
  void add(long address, IbvContext context, @Nullable QueuePair queuePair) {
    sources.put(address, new Source(context, queuePair));
  }

  void remove(long address) {
    sources.remove(address);
  }

  /** Reads what there is. Each event is acknowledged before anybody hears of it, so that nobody who destroys its object waits. */
  void read() {
    VerbsLibrary verbs = device.libraries.verbs();
    try (Arena arena = Arena.ofConfined()) {
      long event = arena.allocate(AsyncEventLayout.BYTES, 8).address();
      for (int i = 0; i < MAX_AT_A_TIME && verbs.getAsyncEvent.call(device.context, event) >= 0; i++) {
        int type = Memory.getInt(event + AsyncEventLayout.TYPE);
        // Only events of objects carry an address; a port's has its number there.
        Source source = isOfObject(type)
            ? sources.get(Memory.getLong(event + AsyncEventLayout.ELEMENT))
            : null;
        verbs.ackAsyncEvent.call(event);
        dispatch(type, source);
      }
    }
  }

  private void dispatch(int type, @Nullable Source source) {
    AsyncEvent event = new AsyncEvent(kind(type), source == null ? null : source.queuePair,
        device.name + ": event " + type);
    if (source != null) {
      tell(source.context, event);
    } else if (!isOfObject(type)) {
      contexts.forEach(context -> tell(context, event));
    }
  }

  private static void tell(IbvContext context, AsyncEvent event) {
    try {
      context.loop().execute(() -> context.hear(event));
    } catch (RemoraException e) {
      // Its loop has been closed: nobody is left who could hear it.
    }
  }

  private static boolean isOfObject(int type) {
    return switch (type) {
      // Of a completion queue, of queue pairs, of shared receive queues, of a queue pair on one.
      case 0, 1, 2, 3, 4, 5, 6, 7, 14, 15, 16 -> true;
      default -> false;
    };
  }

  private static AsyncEvent.Kind kind(int type) {
    for (AsyncEvent.Kind kind : AsyncEvent.Kind.values()) {
      if (kind.code() == type) {
        return kind;
      }
    }
    return AsyncEvent.Kind.OTHER;
  }
}
