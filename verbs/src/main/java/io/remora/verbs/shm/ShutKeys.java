package io.remora.verbs.shm;

/**
 * Keys of the peer's that messages under way make invalid: a request behind such a message must not use them any more, though the peer has not got to it yet. Belongs to its queue pair.
 */
final class ShutKeys {
  private final int[] keys;
  private final long[] messages;
  private int head;
  private int count;

  /** Room for as many as there can be messages under way. */
  ShutKeys(int max) {
    this.keys = new int[max];
    this.messages = new long[max];
  }

  /** The message of that number, counted from 1, makes {@code key} invalid. */
  void add(int key, long message) {
    int at = (head + count) % keys.length;
    keys[at] = key;
    messages[at] = message;
    count++;
  }

  /** The peer has taken so many messages. */
  void taken(long upTo) {
    while (count > 0 && messages[head] <= upTo) {
      head = (head + 1) % keys.length;
      count--;
    }
  }

  boolean contains(int key) {
    for (int i = 0; i < count; i++) {
      if (keys[(head + i) % keys.length] == key) {
        return true;
      }
    }
    return false;
  }
}
