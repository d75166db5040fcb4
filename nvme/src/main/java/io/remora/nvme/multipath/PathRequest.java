package io.remora.nvme.multipath;

import io.remora.base.IoRequest;
import org.jspecify.annotations.Nullable;

/** A caller's request on its way: the request that a path sees, and what is needed to try another one. Reused by its channel. */
final class PathRequest {
  final IoRequest there;
  @Nullable
  IoRequest request;
  /** The path that has it; null while it waits for one. */
  @Nullable
  PathSlot slot;
  /** When a path first failed under it; meaningless before {@link #tries} is more than 1. */
  long failedNs;
  int tries;
  int timeouts;
  /** In a list of the channel. */
  @Nullable
  PathRequest next;

  PathRequest(MultipathChannel channel) {
    there = new IoRequest(done -> channel.completed(this));
  }

  void begin(IoRequest of) {
    request = of;
    tries = 0;
    timeouts = 0;
  }

  /** Fills in what the path is to do. */
  IoRequest prepare() {
    IoRequest of = request;
    assert of != null;
    there.prepare(of.op, of.offset, of.length);
    there.fua = of.fua;
    there.sgl.addRange(of.sgl, 0, of.sgl.totalBytes());
    return there;
  }

  /** Lets go of the caller's request and memory. */
  IoRequest release() {
    IoRequest of = request;
    assert of != null;
    request = null;
    slot = null;
    there.sgl.clear();
    return of;
  }
}
