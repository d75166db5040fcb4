package io.remora.verbs.shm;

/**
 * Keys of the peer's that messages under way make invalid: a request behind such a message must not use them any more, though the peer has not got to it yet. Belongs to its queue pair.
 *
 * <p>Every copy asks, and hardly ever is its key among them: they are counted by a hash, so that the answer is mostly one look.
 */
final class ShutKeys {
  private static final int HASH_BITS = 8;

  private final int[] keys;
  private final long[] messages;
  private final int[] counts = new int[1 << HASH_BITS];
  private int head;
  private int count;

  /** Room for as many as there can be messages under way. */
  ShutKeys(int max) {
    int size = Math.max(1, Integer.highestOneBit(2 * max - 1));
    this.keys = new int[size];
    this.messages = new long[size];
  }

  /** The message of that number, counted from 1, makes {@code key} invalid. */
  void add(int key, long message) {
    int at = at(count);
    keys[at] = key;
    messages[at] = message;
    counts[hash(key)]++;
    count++;
  }

  /** The peer has taken so many messages. */
  void taken(long upTo) {
    while (count > 0 && messages[head] <= upTo) {
      counts[hash(keys[head])]--;
      head = at(1);
      count--;
    }
  }

  boolean contains(int key) {
    if (counts[hash(key)] == 0) {
      return false;
    }
    for (int i = 0; i < count; i++) {
      if (keys[at(i)] == key) {
        return true;
      }
    }
    return false;
  }

  private int at(int index) {
    return (head + index) & (keys.length - 1);
  }

  private static int hash(int key) {
    return (key * 0x9E3779B1) >>> (Integer.SIZE - HASH_BITS);
  }
}
