package io.remora.base;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * I/O memory of one loop: blocks from a few large arenas of native memory, which grow and shrink between bounds. All calls on
 * that loop's thread. Taking and giving back allocate nothing in the steady state.
 *
 * <p>Nobody fails for want of memory: who cannot have a buffer now waits. Waiters are served in the order in which they came;
 * one whose {@link Owner} is at its limit waits for that owner's own buffers and holds up nobody but later waiters of the same owner.
 */
public final class BufferPool implements AutoCloseable {
  /** The largest buffer, in bytes: the default size of an arena. */
  public static final long DEFAULT_ARENA_BYTES = 8 << 20;

  private static final boolean TRACE = Boolean.getBoolean("remora.buffers.trace");

  /** Somebody who takes buffers, with a limit of its own: a connection, a device, a rebuild. */
  public static final class Owner {
    private final String name;
    private final long limitBytes;
    private long usedBytes;
    private int waiting;
    private long blockedInPass;

    private Owner(String name, long limitBytes) {
      this.name = name;
      this.limitBytes = limitBytes;
    }

    /** For people. */
    public String name() {
      return name;
    }

    /** What it holds now, in bytes. */
    public long usedBytes() {
      return usedBytes;
    }
  }

  /** A reusable place in the queue for a buffer. */
  public abstract static class Waiter {
    private @Nullable Owner owner;
    private int order;
    private @Nullable Waiter next;

    /** For subclasses. */
    protected Waiter() {}

    /** Takes the buffer that was waited for; it belongs to the waiter now. On the pool's loop, at the end of a turn. */
    protected abstract void onBuffer(Buffer buffer);

    /** Whether it stands in the queue. */
    public final boolean waiting() {
      return owner != null;
    }
  }

  /** Hears of the arenas as they come and go: who registers them with a device. On the pool's loop; may not take or release buffers. */
  public interface ArenaListener {
    /**
     * There is an arena, of which no buffer has been taken yet unless the listener is new.
     *
     * @throws RemoraException when it cannot be used: the pool does without it and tries again after a while, as long as it has another
     */
    void onArena(MemorySegment arena);

    /** An arena that {@link #onArena} has taken is about to be freed; nothing of it is in use. */
    void onArenaGone(MemorySegment arena);
  }

  /** After an arena was refused, the pool does not ask for one for so long. */
  private static final long REFUSED_NS = 1_000_000_000L;

  private final Loop loop;
  private final long arenaBytes;
  private final int maxArenas;
  private final List<BufferArena> arenas = new ArrayList<>();
  private final List<Owner> owners = new ArrayList<>();
  private final List<ArenaListener> listeners = new ArrayList<>();
  private final Runnable serveTask = this::serve;
  private @Nullable Waiter head;
  private @Nullable Waiter tail;
  private boolean serveDeferred;
  private boolean refused;
  private long refusedNs;
  private long usedBytes;
  private long pass;

  /**
   * A pool that holds no memory yet.
   *
   * @param arenaBytes the unit of growth and the largest buffer, in bytes; a power of two, 64 KiB to 1 GiB
   * @param maxBytes the most it takes from the machine, in bytes; at least one arena
   */
  public BufferPool(Loop loop, long arenaBytes, long maxBytes) {
    Check.argument(Long.bitCount(arenaBytes) == 1 && arenaBytes >= 64 << 10 && arenaBytes <= 1 << 30,
        "arena of %d bytes: must be a power of two from 64 KiB to 1 GiB", arenaBytes);
    Check.argument(maxBytes >= arenaBytes, "pool of %d bytes is smaller than one arena of %d", maxBytes, arenaBytes);
    this.loop = loop;
    this.arenaBytes = arenaBytes;
    this.maxArenas = Math.toIntExact(maxBytes / arenaBytes);
  }

  Loop loop() {
    return loop;
  }

  /** A new owner that may hold up to {@code limitBytes} at once (sizes round up to powers of two from 4 KiB). */
  public Owner owner(String name, long limitBytes) {
    Owner owner = new Owner(name, limitBytes);
    owners.add(owner);
    return owner;
  }

  /** Forgets an owner, which must hold nothing and wait for nothing. */
  public void remove(Owner owner) {
    Check.that(owner.usedBytes == 0 && owner.waiting == 0, "owner %s still holds %d bytes", owner.name,
        owner.usedBytes);
    owners.remove(owner);
  }

  /**
   * A buffer of at least {@code bytes} (1 to the arena size), or null when the owner is at its limit, memory is used up, or
   * others wait for it: then {@link #await} it.
   */
  public @Nullable Buffer take(Owner owner, long bytes) {
    int order = order(owner, bytes);
    if (owner.waiting > 0 || hungry()) {
      return null;
    }
    return take(owner, order);
  }

  /** Puts {@code waiter} in the queue for a buffer of at least {@code bytes}. */
  public void await(Waiter waiter, Owner owner, long bytes) {
    Check.that(!waiter.waiting(), "waits already");
    waiter.order = order(owner, bytes);
    waiter.owner = owner;
    waiter.next = null;
    owner.waiting++;
    Waiter last = tail;
    if (last == null) {
      head = waiter;
    } else {
      last.next = waiter;
    }
    tail = waiter;
    deferServe();
  }

  /** Takes {@code waiter} out of the queue; nothing happens when it is not in it. */
  public void cancel(Waiter waiter) {
    if (!waiter.waiting()) {
      return;
    }
    Waiter before = null;
    for (Waiter w = head; w != null; before = w, w = w.next) {
      if (w == waiter) {
        unlink(before, w);
        deferServe();
        return;
      }
    }
  }

  /** What is taken now, in bytes. */
  public long usedBytes() {
    return usedBytes;
  }

  /** What the arenas take from the machine, in bytes. */
  public long arenaBytes() {
    return arenas.size() * arenaBytes;
  }

  /**
   * Tells {@code listener} of the arenas from now on, and at once of those that are there. When it refuses one of these, it has heard
   * {@link ArenaListener#onArenaGone} for the others, and the exception is passed on.
   */
  public void listen(ArenaListener listener) {
    for (int i = 0; i < arenas.size(); i++) {
      try {
        listener.onArena(arenas.get(i).segment());
      } catch (RemoraException e) {
        for (BufferArena told : arenas.subList(0, i)) {
          listener.onArenaGone(told.segment());
        }
        throw e;
      }
    }
    listeners.add(listener);
    refused = false;
  }

  /** Tells {@code listener} nothing any more; it hears that every arena goes. Nothing happens when it does not listen. */
  public void unlisten(ArenaListener listener) {
    if (listeners.remove(listener)) {
      for (BufferArena arena : arenas) {
        listener.onArenaGone(arena.segment());
      }
      refused = false;
    }
  }

  /** Gives arenas in which nothing is taken back to the machine, all but one. */
  public void trim() {
    for (int i = arenas.size() - 1; i > 0; i--) {
      BufferArena arena = arenas.get(i);
      if (arena.usedBytes() == 0) {
        arenas.remove(i);
        free(arena);
      }
    }
  }

  /**
   * Who holds how much, one line each; empty when nothing is taken. With {@code -Dremora.buffers.trace=true} also where the
   * buffers were taken.
   */
  public String leaks() {
    StringBuilder text = new StringBuilder();
    for (Owner owner : owners) {
      if (owner.usedBytes > 0) {
        text.append(owner.name).append(" holds ").append(owner.usedBytes).append(" bytes\n");
      }
    }
    for (BufferArena arena : arenas) {
      arena.appendTraces(text);
    }
    return text.toString();
  }

  /** Frees all memory; throws {@link RemoraException} with {@link #leaks} and frees nothing while buffers are out. */
  @Override
  public void close() {
    Check.that(usedBytes == 0, "buffers are still out:\n%s", leaks());
    for (BufferArena arena : arenas) {
      free(arena);
    }
    arenas.clear();
  }

  void release(Buffer buffer) {
    Owner owner = buffer.owner;
    Check.that(owner != null, "buffer released twice");
    assert owner != null;
    buffer.owner = null;
    buffer.takenAt = null;
    long size = buffer.sizeBytes();
    owner.usedBytes -= size;
    usedBytes -= size;
    buffer.arena.give(buffer);
    if (head != null) {
      deferServe();
    }
  }

  private @Nullable Buffer take(Owner owner, int order) {
    long size = (long) BufferArena.MIN_BYTES << order;
    if (owner.usedBytes + size > owner.limitBytes) {
      return null;
    }
    Buffer buffer = fromArenas(order);
    if (buffer != null) {
      buffer.owner = owner;
      owner.usedBytes += size;
      usedBytes += size;
      if (TRACE) {
        buffer.takenAt = new Throwable("taken by " + owner.name);
      }
    }
    return buffer;
  }

  private @Nullable Buffer fromArenas(int order) {
    for (int i = 0; i < arenas.size(); i++) {
      Buffer buffer = arenas.get(i).take(order);
      if (buffer != null) {
        return buffer;
      }
    }
    if (arenas.size() == maxArenas) {
      return null;
    }
    BufferArena arena = newArena();
    if (arena == null) {
      return null;
    }
    arenas.add(arena);
    return arena.take(order);
  }

  /** Another arena; null when there is none to be had now: somebody gives memory back, and who asks waits for that as at the pool's own bound. */
  private @Nullable BufferArena newArena() {
    if (refused && !arenas.isEmpty() && loop.clock().nanoTime() - refusedNs < REFUSED_NS) {
      return null;
    }
    BufferArena arena;
    try {
      arena = new BufferArena(this, arenaBytes);
    } catch (OutOfMemoryError e) {
      if (arenas.isEmpty()) {
        throw e;
      }
      return null;
    }
    for (int i = 0; i < listeners.size(); i++) {
      try {
        listeners.get(i).onArena(arena.segment());
      } catch (RemoraException e) {
        for (ArenaListener told : listeners.subList(0, i)) {
          told.onArenaGone(arena.segment());
        }
        arena.free();
        if (arenas.isEmpty()) {
          throw e;
        }
        refused = true;
        refusedNs = loop.clock().nanoTime();
        return null;
      }
    }
    return arena;
  }

  private void free(BufferArena arena) {
    for (ArenaListener listener : listeners) {
      listener.onArenaGone(arena.segment());
    }
    arena.free();
  }

  private int order(Owner owner, long bytes) {
    // Behind an if: the arguments of the message are objects.
    if (bytes <= 0 || bytes > arenaBytes) {
      Check.argument(false, "buffer of %d bytes: 1 to %d", bytes, arenaBytes);
    }
    int order = bytes <= BufferArena.MIN_BYTES ? 0 : 52 - Long.numberOfLeadingZeros(bytes - 1);
    if ((long) BufferArena.MIN_BYTES << order > owner.limitBytes) {
      Check.argument(false, "buffer of %d bytes is over %s's limit of %d", bytes, owner.name, owner.limitBytes);
    }
    return order;
  }

  /** Whether somebody waits for memory itself and not for its own limit. */
  private boolean hungry() {
    pass++;
    for (Waiter w = head; w != null; w = w.next) {
      if (!blocked(w)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether the waiter's owner has no room for it, or for one of its earlier waiters: a small request does not overtake a large
   * one of the same owner, which would wait for ever. To be asked in the order of the queue, after {@code pass++}.
   */
  private boolean blocked(Waiter waiter) {
    Owner owner = waiter.owner;
    assert owner != null;
    if (owner.blockedInPass == pass) {
      return true;
    }
    boolean atLimit = owner.usedBytes + ((long) BufferArena.MIN_BYTES << waiter.order) > owner.limitBytes;
    if (atLimit) {
      owner.blockedInPass = pass;
    }
    return atLimit;
  }

  private void deferServe() {
    if (!serveDeferred) {
      serveDeferred = true;
      loop.defer(serveTask);
    }
  }

  private void serve() {
    serveDeferred = false;
    pass++;
    Waiter before = null;
    Waiter waiter = head;
    while (waiter != null) {
      Waiter after = waiter.next;
      Owner owner = waiter.owner;
      assert owner != null;
      if (blocked(waiter)) {
        before = waiter;
      } else {
        Buffer buffer = take(owner, waiter.order);
        if (buffer == null) {
          return;
        }
        unlink(before, waiter);
        waiter.onBuffer(buffer);
        if (serveDeferred) {
          return;
        }
      }
      waiter = after;
    }
  }

  private void unlink(@Nullable Waiter before, Waiter waiter) {
    if (before == null) {
      head = waiter.next;
    } else {
      before.next = waiter.next;
    }
    if (tail == waiter) {
      tail = before;
    }
    waiter.next = null;
    Owner owner = waiter.owner;
    if (owner != null) {
      owner.waiting--;
    }
    waiter.owner = null;
  }
}
