package io.remora.verbs.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.CmId;
import io.remora.verbs.CmListener;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** This process's end of a test between processes. Called from the test's thread. */
final class ThisEnd implements CmId.Handler {
  /** A completion, kept. */
  record Completion(long id, WorkStatus status, int length, int immediate, int source) {}

  final Loop loop;
  final Context context;
  final ProtectionDomain domain;
  final CompletionQueue completions;
  final Arena arena;
  final MemorySegment memory;
  final MemoryRegion region;
  final List<AsyncEvent> events = new ArrayList<>();
  final Deque<Completion> arrived = new ArrayDeque<>();
  private final WorkCompletions polled = new WorkCompletions(32);
  private boolean notified;
  /** What the event of the completion queue does. */
  Runnable whenNotified = () -> notified = true;
  @Nullable
  CmId id;
  @Nullable
  QueuePair queuePair;
  boolean resolved;
  CmId.@Nullable Established established;
  @Nullable
  Status ended;
  @Nullable
  String endText;

  ThisEnd(Loops loops) {
    this(loops.get(0));
  }

  ThisEnd(Loop loop) {
    this.loop = loop;
    context = on(() -> new ShmProvider().open(loop, ShmProvider.DEVICE));
    domain = on(context::allocateProtectionDomain);
    completions = on(() -> context.createCompletionQueue(4096, () -> whenNotified.run()));
    arena = loop.newArena();
    memory = on(() -> context.allocate(arena, PeerProcess.MEMORY_BYTES));
    region = on(() -> domain.register(memory, Access.LOCAL_WRITE | Access.REMOTE_WRITE | Access.REMOTE_READ
        | Access.REMOTE_ATOMIC | Access.WINDOW_BIND));
    run(() -> context.onAsyncEvent(events::add));
  }

  <T> T on(Supplier<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        done.complete(task.get());
      } catch (Throwable e) {
        done.completeExceptionally(e);
      }
    });
    try {
      return done.orTimeout(60, TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      throw new AssertionError(String.valueOf(e.getCause()), e.getCause());
    }
  }

  void run(Runnable task) {
    on(() -> {
      task.run();
      return true;
    });
  }

  void await(String what, BooleanSupplier condition) {
    long giveUp = System.nanoTime() + 30_000_000_000L;
    while (!on(condition::getAsBoolean)) {
      if (System.nanoTime() - giveUp > 0) {
        throw new AssertionError(
            "waited in vain for " + what + "; ended " + ended + " " + endText + ", events " + events);
      }
      java.util.concurrent.locks.LockSupport.parkNanos(20_000);
    }
  }

  QueuePair queuePair() {
    QueuePair made = queuePair;
    if (made == null) {
      throw new AssertionError("no queue pair");
    }
    return made;
  }

  // Connecting.

  ThisEnd connect(int port, QueuePairType type) {
    begin(port, type);
    await("the connection", () -> established != null);
    return this;
  }

  /** Asks for a connection, and does not wait for the answer. */
  void begin(int port, QueuePairType type) {
    id = on(() -> context.connectionManager().resolve(new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
        type, this));
    await("the way", () -> resolved);
    run(() -> {
      CmId of = id;
      if (of != null) {
        queuePair = of.createQueuePair(domain, QueuePairConfig.rc(completions, 1024, 256).withType(type));
        of.connect(CmId.Parameters.DEFAULT);
      }
    });
  }

  /** Accepts whoever comes, offering all of this end's memory. */
  CmListener listen() {
    return on(() -> context.connectionManager().listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
        QueuePairType.RC, request -> {
          CmId made = request.attach(context, this);
          id = made;
          QueuePair mine = made.createQueuePair(domain, QueuePairConfig.rc(completions, 1024, 256));
          queuePair = mine;
          for (int i = 0; i < 256; i++) {
            mine.postReceive(new ReceiveRequest().id(i).piece(region, i * 64L, 64));
          }
          MemorySegment offer = MemorySegment.ofArray(new long[] {region.address(), region.remoteKey()});
          made.accept(CmId.Parameters.DEFAULT.with(offer));
        }));
  }

  long offered(int at) {
    CmId.Established connection = established;
    return connection == null ? 0 : connection.privateData().get(JAVA_LONG_UNALIGNED, at);
  }

  // Requests.

  void post(SendRequest request) {
    Status status = on(() -> queuePair().postSend(request));
    if (status != Status.OK) {
      throw new AssertionError("post: " + status);
    }
  }

  Completion next() {
    await("a completion", () -> {
      collect();
      return !arrived.isEmpty();
    });
    return on(arrived::removeFirst);
  }

  /** The next one, which must be that and a success. */
  Completion ok(long requestId) {
    Completion completion = next();
    if (completion.status != WorkStatus.SUCCESS || completion.id != requestId) {
      throw new AssertionError("instead of the success of " + requestId + ": " + completion + ", events " + events);
    }
    return completion;
  }

  /** On the loop. */
  void collect() {
    while (completions.poll(polled) > 0) {
      for (int i = 0; i < polled.count(); i++) {
        boolean ok = polled.ok(i);
        arrived.add(new Completion(polled.id(i), polled.status(i), ok ? polled.lengthBytes(i) : 0,
            ok && polled.hasImmediate(i) ? polled.immediate(i) : 0, ok ? polled.sourceQueuePair(i) : 0));
      }
    }
  }

  /** Waits for the event of the completion queue, so that the loop may sleep until then. */
  void sleepUntilNotified() {
    run(() -> {
      notified = false;
      completions.requestNotify(false);
      collect();
    });
    if (on(arrived::isEmpty)) {
      await("the event", () -> notified);
    }
    run(this::collect);
  }

  /** Asks the other process to do something; the answer is in this end's memory, at 512 KiB. */
  MemorySegment ask(long what, long first, long second) {
    long out = 600 << 10;
    long in = 512 << 10;
    run(() -> {
      queuePair().postReceive(new ReceiveRequest().id(77).piece(region, in, PeerProcess.MESSAGE_BYTES));
      memory.set(JAVA_LONG, out, what);
      memory.set(JAVA_LONG, out + 8, first);
      memory.set(JAVA_LONG, out + 16, second);
    });
    post(new SendRequest().id(76).piece(region, out, PeerProcess.MESSAGE_BYTES));
    ok(76);
    ok(77);
    return memory.asSlice(in, PeerProcess.MESSAGE_BYTES);
  }

  // The end.

  @Override
  public void onResolved() {
    resolved = true;
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    established = connection;
  }

  @Override
  public void onFailed(Status reason, String text) {
    ended = reason;
    endText = text;
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    ended = reason;
    endText = text;
  }

  /** Ends the connection, so that another can be made. */
  void hangUp() {
    run(() -> {
      QueuePair mine = queuePair;
      CmId of = id;
      if (mine != null) {
        mine.close();
      }
      if (of != null) {
        of.close();
      }
      queuePair = null;
      id = null;
      established = null;
      resolved = false;
      ended = null;
      endText = null;
      completions.poll(polled);
      arrived.clear();
      events.clear();
    });
  }

  void close() {
    hangUp();
    run(() -> {
      completions.close();
      region.close();
      domain.close();
      context.close();
      arena.close();
    });
  }

  /** What this process has open, and has mapped of shared memory. */
  static String held() {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"));
        Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return open.count() + " descriptors, " + maps.filter(line -> line.contains("memfd:remora")).count() + " mappings";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
