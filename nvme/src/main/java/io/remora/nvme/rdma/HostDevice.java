package io.remora.nvme.rdma;

import io.remora.base.BufferPool;
import io.remora.base.Loop;
import io.remora.base.Timer;
import io.remora.verbs.Access;
import io.remora.verbs.Capability;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import io.remora.verbs.Provider;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SendRequest;
import io.remora.verbs.WorkCompletions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A host's RDMA device on one loop, with what its connections there share: the protection domain, registered memory, requests to post. Belongs to the loop. It is closed when it has had no
 * connection for a while, so that one that is lost and made again finds everything in place.
 *
 * <p>None of the memory may be touched by peers, unless a memory window is bound to a part of it.
 */
final class HostDevice {
  private static final int COMPLETIONS_PER_POLL = 64;
  private static final long ARENA_BYTES = 4 << 20;
  private static final long IDLE_NS = 15_000_000_000L;

  private final Loop loop;
  private final Context device;
  private final ProtectionDomain domain;
  private final RegisteredBytes bytes;
  private final boolean windows;
  private final boolean invalidates;
  private final Runnable onClose;
  private final BufferPool pool;
  private final BufferPool.Owner owner;
  private final RegisteredPool own;
  private final List<RegisteredPool> callers = new ArrayList<>();
  private final Timer idle;
  private int links;

  final WorkCompletions completions = new WorkCompletions(COMPLETIONS_PER_POLL);
  final ReceiveRequest receive = new ReceiveRequest(1);
  final SendRequest command = new SendRequest();
  final SendRequest bind = new SendRequest(1);
  final SendRequest invalidate = new SendRequest(1);

  private HostDevice(Loop loop, Context device, ProtectionDomain domain, HostRdmaOptions options, Runnable onClose) {
    this.loop = loop;
    this.device = device;
    this.domain = domain;
    this.bytes = options.bytes();
    this.windows = device.attributes().can(Capability.MEMORY_WINDOWS);
    this.invalidates = device.attributes().can(Capability.SEND_WITH_INVALIDATE);
    this.onClose = onClose;
    this.pool = new BufferPool(loop, ARENA_BYTES, options.copyBytesPerLoop());
    this.owner = pool.owner("connections of NVMe/RDMA", options.copyBytesPerLoop());
    this.own = RegisteredPool.open(pool, domain, access(), bytes);
    this.idle = loop.timer(this::close);
  }

  /**
   * Opens {@code name} for {@code loop}, on it.
   *
   * @param pools what is to be registered beside the device's own memory
   * @param onClose runs when it has closed itself
   * @throws io.remora.base.RemoraException as {@link Provider#open}, and NO_RESOURCES when more is to be registered than may
   */
  static HostDevice open(Provider provider, String name, Loop loop, HostRdmaOptions options, List<BufferPool> pools,
      Runnable onClose) {
    Context device = provider.open(loop, name);
    ProtectionDomain domain = device.allocateProtectionDomain();
    HostDevice made = new HostDevice(loop, device, domain, options, onClose);
    try {
      pools.forEach(made::use);
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
    made.idle.arm(IDLE_NS);
    return made;
  }

  private int access() {
    return Access.LOCAL_WRITE | (windows ? Access.WINDOW_BIND : 0);
  }

  Loop loop() {
    return loop;
  }

  Context device() {
    return device;
  }

  ProtectionDomain domain() {
    return domain;
  }

  /** Whether commands' data is exported by memory windows. */
  boolean windows() {
    return windows;
  }

  /** Whether the peer may be asked to make keys invalid. */
  boolean invalidates() {
    return invalidates;
  }

  /** Memory for connections and copies. */
  BufferPool pool() {
    return pool;
  }

  /** Whose it is. */
  BufferPool.Owner owner() {
    return owner;
  }

  /** The registration of {@link #pool}. */
  RegisteredPool registered() {
    return own;
  }

  /** The region of registered memory that all of {@code length} bytes at {@code address} are in; null when there is none. */
  @Nullable
  MemoryRegion find(long address, long length) {
    for (int i = 0; i < callers.size(); i++) {
      MemoryRegion region = callers.get(i).find(address, length);
      if (region != null) {
        return region;
      }
    }
    return null;
  }

  void use(BufferPool of) {
    callers.add(RegisteredPool.open(of, domain, access(), bytes));
  }

  void forget(BufferPool of) {
    for (int i = callers.size() - 1; i >= 0; i--) {
      if (callers.get(i).pool() == of) {
        callers.remove(i).close();
      }
    }
  }

  /** One more connection. */
  void enter() {
    links++;
    idle.cancel();
  }

  /** One less. */
  void leave() {
    links--;
    if (links == 0) {
      idle.arm(IDLE_NS);
    }
  }

  private void close() {
    onClose.run();
    callers.forEach(RegisteredPool::close);
    callers.clear();
    own.close();
    pool.close();
    domain.close();
    device.close();
  }
}
