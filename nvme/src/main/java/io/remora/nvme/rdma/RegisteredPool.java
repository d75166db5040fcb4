package io.remora.nvme.rdma;

import io.remora.base.BufferPool;
import io.remora.base.RemoraException;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.ProtectionDomain;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a buffer pool, registered with one protection domain: one region for each arena, from when it comes until before it goes. Belongs to
 * the loop of both.
 */
final class RegisteredPool implements BufferPool.ArenaListener {
  private static final System.Logger LOG = System.getLogger(RegisteredPool.class.getName());

  private final BufferPool pool;
  private final ProtectionDomain domain;
  private final int access;
  private final RegisteredBytes bytes;
  private final List<MemoryRegion> regions = new ArrayList<>();
  private @Nullable MemoryRegion last;
  private boolean told;

  private RegisteredPool(BufferPool pool, ProtectionDomain domain, int access, RegisteredBytes bytes) {
    this.pool = pool;
    this.domain = domain;
    this.access = access;
    this.bytes = bytes;
  }

  /**
   * Registers what {@code pool} has, and will have, until {@link #close}.
   *
   * @param access bits of {@link io.remora.verbs.Access}
   * @throws RemoraException NO_RESOURCES when there is more than may be registered
   */
  static RegisteredPool open(BufferPool pool, ProtectionDomain domain, int access, RegisteredBytes bytes) {
    RegisteredPool made = new RegisteredPool(pool, domain, access, bytes);
    pool.listen(made);
    return made;
  }

  @Override
  public void onArena(MemorySegment arena) {
    try {
      bytes.add(arena.byteSize());
      try {
        regions.add(domain.register(arena, access));
      } catch (RemoraException e) {
        bytes.remove(arena.byteSize());
        throw e;
      }
    } catch (RemoraException e) {
      if (!told) {
        told = true;
        LOG.log(System.Logger.Level.WARNING, "{0}; requests wait for memory, which is not told again", e.getMessage());
      }
      throw e;
    }
  }

  @Override
  public void onArenaGone(MemorySegment arena) {
    for (int i = 0; i < regions.size(); i++) {
      MemoryRegion region = regions.get(i);
      if (region.segment().address() == arena.address()) {
        regions.remove(i);
        last = null;
        region.close();
        bytes.remove(arena.byteSize());
        return;
      }
    }
  }

  /** The pool. */
  BufferPool pool() {
    return pool;
  }

  /** The region with all of {@code length} bytes at {@code address}; null when they are not this pool's. */
  @Nullable
  MemoryRegion find(long address, long length) {
    MemoryRegion recent = last;
    if (recent != null && holds(recent, address, length)) {
      return recent;
    }
    for (int i = 0; i < regions.size(); i++) {
      MemoryRegion region = regions.get(i);
      if (holds(region, address, length)) {
        last = region;
        return region;
      }
    }
    return null;
  }

  /** As {@link #find}, of memory that is this pool's. */
  MemoryRegion region(MemorySegment memory) {
    MemoryRegion region = find(memory.address(), memory.byteSize());
    if (region == null) {
      throw new IllegalArgumentException("not a buffer of this pool: " + memory);
    }
    return region;
  }

  private static boolean holds(MemoryRegion region, long address, long length) {
    long from = address - region.segment().address();
    return from >= 0 && from <= region.lengthBytes() - length;
  }

  /** Deregisters everything; nothing of it is in use. */
  void close() {
    pool.unlisten(this);
  }
}
