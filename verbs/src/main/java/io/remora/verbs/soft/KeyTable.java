package io.remora.verbs.soft;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a context: 24 random bits that say which, so that nobody guesses one, and an 8-bit tag that says which life of it. Key 0 is never given out. Belongs to
 * the context's loop; looking up allocates nothing.
 */
public final class KeyTable {
  /** What is wrong with a peer's use of a key; in this order of precedence. */
  public enum Fault {
    NONE,
    /** No such key, or none that holds now. */
    KEY,
    /** The key is another domain's or another queue pair's. */
    DOMAIN,
    /** Address and length go over the end of all addresses. */
    WRAP,
    /** Outside of what the key names. */
    BOUNDS,
    /** The key does not give that right. */
    ACCESS
  }

  static final int MAX_INDEX = 1 << 24;

  private final RandomGenerator random;
  private final int max;
  private @Nullable KeyEntry[] slots = new KeyEntry[64];
  private int count;

  KeyTable(RandomGenerator random, int max) {
    this.random = random;
    this.max = max;
  }

  /** A 24-bit number that is free. */
  int freeIndex() {
    if (count >= max) {
      throw new RemoraException(Status.NO_RESOURCES, max + " memory regions and windows are registered: close some");
    }
    int index;
    do {
      index = 1 + random.nextInt(MAX_INDEX - 1);
    } while (slots[slotOf(index)] != null);
    return index;
  }

  int freeTag() {
    return random.nextInt(256);
  }

  void add(KeyEntry entry) {
    if (count * 2 >= slots.length) {
      grow();
    }
    slots[slotOf(entry.index)] = entry;
    count++;
  }

  void remove(KeyEntry entry) {
    int mask = slots.length - 1;
    int hole = slotOf(entry.index);
    slots[hole] = null;
    count--;
    // What stood behind it may belong before it: linear probing without tombstones.
    for (int at = (hole + 1) & mask; slots[at] != null; at = (at + 1) & mask) {
      KeyEntry moved = slots[at];
      assert moved != null;
      slots[at] = null;
      slots[slotOf(moved.index)] = moved;
    }
  }

  /** What {@code key} names now, or null. */
  public @Nullable KeyEntry find(int key) {
    KeyEntry entry = slots[slotOf(key >>> 8)];
    return entry != null && entry.valid && entry.tag == (key & 0xff) ? entry : null;
  }

  /**
   * Whether the peer of {@code user} may use {@code length} bytes (0 or more) at {@code address}.
   *
   * @param access the bits of {@link io.remora.verbs.Access} that it needs
   */
  public Fault check(int key, SoftQueuePair user, long address, long length, int access) {
    KeyEntry entry = find(key);
    if (entry == null) {
      return Fault.KEY;
    }
    if (entry.domain() != user.domain() || (entry.user != null && entry.user != user)) {
      return Fault.DOMAIN;
    }
    if (length < 0 || Long.compareUnsigned(address + length, address) < 0) {
      return Fault.WRAP;
    }
    // Unsigned: an address below the base becomes a huge offset.
    long from = address - entry.address;
    if (Long.compareUnsigned(from, entry.lengthBytes) > 0 || length > entry.lengthBytes - from) {
      return Fault.BOUNDS;
    }
    return (entry.access & access) == access ? Fault.NONE : Fault.ACCESS;
  }

  /** Invalidates {@code key} for {@code user} or its peer; anything but NONE leaves it as it is. */
  public Fault invalidate(int key, SoftQueuePair user) {
    KeyEntry entry = find(key);
    if (entry == null) {
      return Fault.KEY;
    }
    if (entry.domain() != user.domain() || (entry.user != null && entry.user != user)) {
      return Fault.DOMAIN;
    }
    return entry.invalidate() ? Fault.NONE : Fault.ACCESS;
  }

  private int slotOf(int index) {
    int mask = slots.length - 1;
    int at = ((index * 0x9E3779B1) >>> 8) & mask;
    KeyEntry entry = slots[at];
    while (entry != null && entry.index != index) {
      at = (at + 1) & mask;
      entry = slots[at];
    }
    return at;
  }

  private void grow() {
    KeyEntry[] old = slots;
    slots = new KeyEntry[old.length * 2];
    for (KeyEntry entry : old) {
      if (entry != null) {
        slots[slotOf(entry.index)] = entry;
      }
    }
  }
}
