package io.remora.base.linux;

/** A file descriptor whose readiness a {@link Poller} watches, edge-triggered. Belongs to the poller's loop. */
abstract class Watched {
  final int fd;

  /** Its place in the poller's table while it is watched, else -1. */
  int slot = -1;

  Watched(int fd) {
    this.fd = fd;
  }

  /** What it wants to hear of, besides errors: bits of {@code Abi.POLL*}. */
  int interest() {
    return Abi.POLLIN | Abi.POLLOUT | Abi.POLLRDHUP;
  }

  /** Bits of {@code Abi.POLL*}. May unwatch and close anything. */
  abstract void onEvents(int events);

  /** The loop ends: close at once. */
  abstract void onLoopClosed();
}
