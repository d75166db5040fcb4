package io.remora.verbs.iwarp;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Timer;
import io.remora.verbs.Capability;
import io.remora.verbs.ConnectionManager;
import io.remora.verbs.DeviceAttributes;
import io.remora.verbs.QueuePairConfig;
import io.remora.verbs.soft.SoftContext;
import io.remora.verbs.soft.SoftProtectionDomain;
import io.remora.verbs.soft.SoftQueuePair;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The device, open on one loop: the memory that its connections share, and what is left of those that have ended. */
final class IwarpContext extends SoftContext {
  static final int MAX_READS = 128;
  /** Longest inline data, in bytes. */
  private static final int MAX_INLINE_BYTES = 512;
  /** How long a connection request may wait for somebody to attach it. */
  private static final long REQUEST_NS = 10_000_000_000L;
  /** So many rings are taken from the machine at once. */
  private static final int RINGS = 8;

  private static final Set<Capability> CAPABILITIES = EnumSet.of(Capability.RC, Capability.READ, Capability.IMMEDIATE,
      Capability.SEND_WITH_INVALIDATE,
      Capability.ATOMICS, Capability.ATOMICS_GLOBAL, Capability.MEMORY_WINDOWS, Capability.SHARED_RECEIVE_QUEUE,
      Capability.READ_RIGHTS, Capability.SOLICITED_EVENTS, Capability.ANY_MEMORY, Capability.RESERVED_LKEY);

  private final IwarpProvider.Config config;
  private final IwarpConnectionManager connections;
  private final Arena memory;
  private final MemorySegment staging;
  private final ArrayDeque<MemorySegment> rings = new ArrayDeque<>();
  private final ArrayDeque<MemorySegment> frameBuffers = new ArrayDeque<>();
  private final Set<Farewell> farewells = new LinkedHashSet<>();
  private final ArrayDeque<IwarpRequest> requests = new ArrayDeque<>();
  private final Timer expiry;
  private boolean gone;

  IwarpContext(Loop loop, IwarpProvider.Config config, String device) {
    super(loop,
        new DeviceAttributes(IwarpProvider.NAME, device, capabilities(config), 1 << 16, 1 << 14, 32, 32,
            MAX_INLINE_BYTES,
            1 << 20, 1 << 20,
            MAX_READS, Integer.MAX_VALUE, 0, Mpa.MAX_PRIVATE_BYTES));
    this.config = config;
    this.connections = new IwarpConnectionManager(this);
    this.memory = loop.newArena();
    this.staging = memory.allocate(FpduReader.STAGING_BYTES, 64);
    this.expiry = loop.timer(this::expire);
  }

  private static Set<Capability> capabilities(IwarpProvider.Config config) {
    Set<Capability> capabilities = EnumSet.copyOf(CAPABILITIES);
    if (!config.extensions()) {
      capabilities.removeAll(Set.of(Capability.IMMEDIATE, Capability.ATOMICS, Capability.ATOMICS_GLOBAL));
    }
    return capabilities;
  }

  IwarpProvider.Config config() {
    return config;
  }

  @Override
  public ConnectionManager connectionManager() {
    return connections;
  }

  @Override
  protected SoftQueuePair newQueuePair(SoftProtectionDomain domain, QueuePairConfig queuePair) {
    throw new AssertionError("queue pairs are made by connection ids");
  }

  // Memory.

  /** What all connections read into, in turn: see {@link FpduReader}. */
  MemorySegment staging() {
    return staging;
  }

  /** Memory for a {@link FrameWriter}, to be given back. */
  MemorySegment takeRing() {
    if (rings.isEmpty()) {
      MemorySegment chunk = memory.allocate((long) RINGS * FrameWriter.RING_BYTES, 64);
      for (int i = 0; i < RINGS; i++) {
        rings.add(chunk.asSlice((long) i * FrameWriter.RING_BYTES, FrameWriter.RING_BYTES));
      }
    }
    return rings.removeLast();
  }

  void giveRing(MemorySegment ring) {
    rings.add(ring);
  }

  /** Memory of {@link FpduReader#STAGING_BYTES}, to be given back: a staging buffer, or what a {@link Farewell} has to say. */
  MemorySegment takeFrameBuffer() {
    return frameBuffers.isEmpty() ? memory.allocate(FpduReader.STAGING_BYTES, 64) : frameBuffers.removeLast();
  }

  void giveFrameBuffer(MemorySegment buffer) {
    frameBuffers.add(buffer);
  }

  // What goes on without an object of the user's.

  /** Whether the device has been closed. */
  boolean gone() {
    return gone;
  }

  void opened(Farewell farewell) {
    farewells.add(farewell);
  }

  void closed(Farewell farewell, MemorySegment buffer) {
    farewells.remove(farewell);
    giveFrameBuffer(buffer);
  }

  /** A connection request that waits for whoever wants it. */
  void waiting(IwarpRequest request) {
    request.deadlineNs = loop().clock().nanoTime() + REQUEST_NS;
    requests.add(request);
    if (!expiry.armed()) {
      expiry.arm(REQUEST_NS);
    }
  }

  private void expire() {
    long now = loop().clock().nanoTime();
    for (IwarpRequest request = requests.peek(); request != null; request = requests.peek()) {
      long leftNs = request.deadlineNs - now;
      if (leftNs > 0) {
        expiry.arm(leftNs);
        return;
      }
      requests.remove().expire();
    }
  }

  @Override
  protected void onClosed() {
    Check.that(!gone, "closed twice");
    gone = true;
    expiry.cancel();
    requests.forEach(IwarpRequest::expire);
    requests.clear();
    List.copyOf(farewells).forEach(Farewell::drop);
    memory.close();
  }
}
