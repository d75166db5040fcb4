package io.remora.base.linux;

import io.remora.base.Loop;

/** Watches a descriptor that is somebody else's to close. */
final class ForeignWatch extends Watched implements Loop.Watch {
  private final LinuxLoop loop;
  private final Runnable onReadable;

  ForeignWatch(LinuxLoop loop, int fd, Runnable onReadable) {
    super(fd);
    this.loop = loop;
    this.onReadable = onReadable;
  }

  @Override
  int interest() {
    return Abi.POLLIN | Abi.POLLRDHUP;
  }

  @Override
  void onEvents(int events) {
    try {
      onReadable.run();
    } catch (Throwable e) {
      loop.failed(e);
    }
  }

  @Override
  void onLoopClosed() {
    close();
  }

  @Override
  public void close() {
    if (slot >= 0) {
      loop.poller().unwatch(this);
    }
  }
}
