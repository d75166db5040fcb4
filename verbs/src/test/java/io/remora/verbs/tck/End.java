package io.remora.verbs.tck;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.verbs.Access;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.Capability;
import io.remora.verbs.CmId;
import io.remora.verbs.CompletionOpcode;
import io.remora.verbs.CompletionQueue;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.QueuePair;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.QueuePairState;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendOpcode;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.WorkStatus;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** One end of a test: an open device with a protection domain, a completion queue, some memory, and usually one queue pair. Called from the test's thread. */
final class End implements CmId.Handler {
  /** The memory that every end has. */
  static final int BYTES = 256 << 10;

  /** A completion, kept. */
  record Completion(long id, WorkStatus status, @Nullable CompletionOpcode opcode, int length,
      @Nullable Integer immediate,
      @Nullable Integer invalidated, int source, int queuePair) {
    boolean ok() {
      return status == WorkStatus.SUCCESS;
    }
  }

  final Fabric fabric;
  final int index;
  final Context context;
  final ProtectionDomain domain;
  final CompletionQueue completions;
  final Arena arena;
  final MemorySegment memory;
  final MemoryRegion region;
  final List<AsyncEvent> events = new ArrayList<>();
  private final WorkCompletions polled = new WorkCompletions(7);
  private final Deque<Completion> arrived = new ArrayDeque<>();
  private final List<AutoCloseable> extra = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  QueuePair queuePair;
  @SuppressWarnings("NullAway.Init")
  CmId id;

  boolean resolved;
  CmId.@Nullable Established established;
  byte @Nullable [] rejection;
  @Nullable
  Status failure;
  @Nullable
  Status disconnection;

  End(Fabric fabric, int index) {
    this(fabric, index, 4096);
  }

  End(Fabric fabric, int index, int completionEntries) {
    this.fabric = fabric;
    this.index = index;
    this.context = fabric.on(index, () -> fabric.provider().open(fabric.loop(index), fabric.device(index)));
    this.domain = fabric.on(index, context::allocateProtectionDomain);
    this.completions = fabric.on(index,
        () -> context.createCompletionQueue(Math.min(completionEntries, context.attributes().maxCompletions()), null));
    this.arena = fabric.on(index, () -> context.loop().newArena());
    this.memory = fabric.on(index, () -> context.allocate(arena, BYTES));
    this.region = register(memory, allAccess());
    fabric.run(index, () -> context.onAsyncEvent(events::add));
  }

  /** All rights that the device knows. */
  int allAccess() {
    return Access.LOCAL_WRITE | Access.REMOTE_READ | Access.REMOTE_WRITE
        | (can(Capability.ATOMICS) ? Access.REMOTE_ATOMIC : 0)
        | (can(Capability.MEMORY_WINDOWS) ? Access.WINDOW_BIND : 0);
  }

  boolean can(Capability capability) {
    return context.attributes().can(capability);
  }

  MemoryRegion register(MemorySegment segment, int access) {
    return fabric.on(index, () -> domain.register(segment, access));
  }

  QueuePairConfig config() {
    return QueuePairConfig.rc(completions, 64, 64);
  }

  /** A further connection of this end, closed with it. */
  void more(CmId moreId, QueuePair moreQueuePair) {
    extra.add(moreQueuePair);
    extra.add(moreId);
  }

  /** Something else of this end, closed with it. */
  void more(AutoCloseable thing) {
    extra.add(thing);
  }

  // Requests.

  /** A signalled request over {@code length} bytes at {@code offset} of this end's memory. */
  SendRequest request(long requestId, long offset, int length) {
    return new SendRequest().id(requestId).piece(region, offset, length);
  }

  void post(SendRequest request) {
    assertThat(tryPost(request)).isEqualTo(Status.OK);
  }

  /** Posts; that and only that what is not supported is refused so is put in words that name provider and operation is checked each time. */
  Status tryPost(SendRequest request) {
    Status status = fabric.on(index, () -> queuePair.postSend(request));
    String why = whyUnsupported(request.opcode());
    if (status == Status.UNSUPPORTED) {
      assertThat(why).contains(fabric.provider().name(), request.opcode().name(), "; ");
    } else {
      assertThat(why).isEmpty();
    }
    return status;
  }

  /** Empty when it is supported. */
  String whyUnsupported(SendOpcode opcode) {
    return fabric.on(index, () -> Objects.requireNonNullElse(queuePair.whyUnsupported(opcode), ""));
  }

  void receive(long requestId, long offset, int length) {
    assertThat(
        fabric.on(index, () -> queuePair.postReceive(new ReceiveRequest().id(requestId).piece(region, offset, length))))
        .isEqualTo(Status.OK);
  }

  /** The next completion, of this end's queue. */
  Completion next() {
    return next(completions);
  }

  Completion next(CompletionQueue queue) {
    fabric.await(index, "a completion at end " + index, () -> collect(queue));
    return arrived.removeFirst();
  }

  /** The next completion, which must be a success. */
  Completion ok(long requestId) {
    Completion completion = next();
    assertThat(completion.status())
        .as("status of request %d at end %d: %s; events %s", completion.id(), index, completion, events)
        .isEqualTo(WorkStatus.SUCCESS);
    assertThat(completion.id()).isEqualTo(requestId);
    return completion;
  }

  /** Whether nothing has completed, after all that is under way has happened. */
  boolean silent() {
    fabric.settle();
    return !fabric.on(index, () -> collect(completions));
  }

  private boolean collect(CompletionQueue queue) {
    if (arrived.isEmpty()) {
      queue.poll(polled);
      for (int i = 0; i < polled.count(); i++) {
        boolean ok = polled.ok(i);
        arrived.add(
            new Completion(polled.id(i), polled.status(i), ok ? polled.opcode(i) : null, ok ? polled.lengthBytes(i) : 0,
                ok && polled.hasImmediate(i) ? (Integer) polled.immediate(i) : null,
                ok && polled.hasInvalidatedKey(i) ? (Integer) polled.invalidatedKey(i) : null,
                ok ? polled.sourceQueuePair(i) : 0, polled.queuePair(i)));
      }
    }
    return !arrived.isEmpty();
  }

  QueuePairState state() {
    return fabric.on(index, () -> queuePair.state());
  }

  void awaitError() {
    fabric.await(index, "the error state", () -> queuePair.state() == QueuePairState.ERROR);
  }

  // Memory.

  byte[] fill(long offset, int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    set(offset, bytes);
    return bytes;
  }

  void set(long offset, byte[] bytes) {
    fabric.run(index, () -> MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, offset, bytes.length));
  }

  byte[] bytes(long offset, int length) {
    return fabric.on(index, () -> memory.asSlice(offset, length).toArray(JAVA_BYTE));
  }

  long address(long offset) {
    return region.address() + offset;
  }

  int key() {
    return region.remoteKey();
  }

  // The connection.

  @Override
  public void onResolved() {
    resolved = true;
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    established = connection;
  }

  @Override
  public void onRejected(int reason, MemorySegment privateData) {
    rejection = privateData.toArray(JAVA_BYTE);
    failure = Status.DENIED;
  }

  @Override
  public void onFailed(Status reason, String text) {
    failure = reason;
  }

  @Override
  public void onDisconnected(Status reason, String text) {
    disconnection = reason;
  }

  /** Closes everything from the leaves up, which must work whatever has happened. */
  void close() {
    fabric.run(index, () -> {
      if (queuePair != null) {
        queuePair.close();
      }
      if (id != null) {
        id.close();
      }
      for (AutoCloseable more : extra) {
        try {
          more.close();
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      }
      completions.close();
      region.close();
      domain.close();
      context.close();
      arena.close();
    });
  }
}
