package io.remora.nvme.target;

import io.remora.nvme.NvmeStatus;
import java.util.ArrayDeque;

/**
 * Asynchronous events of one controller and the requests that wait for them (NVMe Base 2.0, 5.2); belongs to the controller's loop.
 *
 * <p>Invariant: an event of a kind is told once, and not again until the host has read its log page.
 */
final class Events {
  /** The most requests that may wait. */
  static final int MAX_REQUESTS = 4;

  /** What can happen: bit in OAES and in the configuration feature, information, log page to read. All are notices. */
  enum Kind {
    NAMESPACE(8, 0x00, LogPages.CHANGED_NAMESPACES), ANA(11, 0x03, LogPages.ANA),
    DISCOVERY(31, 0xF0, LogPages.DISCOVERY);

    final int bit;
    private final int information;
    final int logPage;

    Kind(int bit, int information, int logPage) {
      this.bit = bit;
      this.information = information;
      this.logPage = logPage;
    }

    private long result() {
      return 2 | information << 8 | (long) logPage << 16;
    }
  }

  /** Critical warnings of SMART, of which there are none: hosts may ask for them. */
  private static final int HEALTH = 0xff;

  private final QueuePair queue;
  private final ArrayDeque<Command> requests = new ArrayDeque<>(MAX_REQUESTS);
  private final int supported;
  private int enabled;
  private int pending;
  private int told;

  /** Events of the kinds in {@code notices}, bits of OAES; all of them are enabled. */
  Events(QueuePair queue, int notices) {
    this.queue = queue;
    this.supported = notices | HEALTH;
    this.enabled = supported;
  }

  /** Takes an asynchronous event request. */
  void request(Command c) {
    if (requests.size() >= MAX_REQUESTS) {
      queue.finish(c, NvmeStatus.AER_LIMIT_EXCEEDED | NvmeStatus.DNR);
      return;
    }
    queue.hold(c);
    requests.add(c);
    deliver();
  }

  /** It has happened. */
  void raise(Kind kind) {
    if ((enabled & 1 << kind.bit) == 0) {
      return;
    }
    pending |= 1 << kind.bit;
    deliver();
  }

  /** The host has read a log page. */
  void logRead(int logPage) {
    for (Kind kind : Kind.values()) {
      if (kind.logPage == logPage) {
        told &= ~(1 << kind.bit);
      }
    }
    deliver();
  }

  /** What a host may enable. */
  int supported() {
    return supported;
  }

  int enabled() {
    return enabled;
  }

  void enable(int bits) {
    enabled = bits;
    deliver();
  }

  /** Ends the request {@code cid} without an event; false when there is none. */
  boolean abort(int cid) {
    for (Command c : requests) {
      if (c.cid == cid) {
        requests.remove(c);
        queue.finish(c, NvmeStatus.ABORT_REQUESTED);
        return true;
      }
    }
    return false;
  }

  /** Forgets everything: the controller is reset or gone. */
  void clear() {
    requests.clear();
    pending = 0;
    told = 0;
  }

  /**
   * Forgets everything, and the requests without an answer: the host that disables or shuts down its controller does not wait
   * for them any more, and SPDK's takes an answer for a violation.
   */
  void reset() {
    while (!requests.isEmpty()) {
      queue.forget(requests.remove());
    }
    clear();
  }

  private void deliver() {
    for (Kind kind : Kind.values()) {
      int bit = 1 << kind.bit;
      if ((pending & enabled & ~told & bit) != 0 && !requests.isEmpty()) {
        pending &= ~bit;
        told |= bit;
        Command c = requests.remove();
        c.result = kind.result();
        queue.finish(c, NvmeStatus.SUCCESS);
      }
    }
  }
}
