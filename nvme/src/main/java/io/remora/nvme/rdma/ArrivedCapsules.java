package io.remora.nvme.rdma;

/** Receives with command capsules that wait for a slot, or for the connection to stand, in order; no more than there are receives. Belongs to its connection's loop. */
final class ArrivedCapsules {
  private final int[] receives;
  private final int[] lengths;
  private int head;
  private int count;

  ArrivedCapsules(int max) {
    this.receives = new int[max];
    this.lengths = new int[max];
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** A capsule of {@code length} bytes has come by {@code receive}. */
  void add(int receive, int length) {
    int tail = head + count++;
    tail = tail < receives.length ? tail : tail - receives.length;
    receives[tail] = receive;
    lengths[tail] = length;
  }

  /** The receive of the first one. */
  int firstReceive() {
    return receives[head];
  }

  /** Its length, in bytes. */
  int firstLength() {
    return lengths[head];
  }

  /** Drops the first one. */
  void remove() {
    head = head + 1 == receives.length ? 0 : head + 1;
    count--;
  }
}
