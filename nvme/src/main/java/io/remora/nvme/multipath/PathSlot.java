package io.remora.nvme.multipath;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.HostNamespace;
import org.jspecify.annotations.Nullable;

/** One path as one channel sees it. Belongs to the channel's loop. */
final class PathSlot {
  final Path path;
  int inFlight;
  private @Nullable BlockChannel channel;
  private PathView view = PathView.NONE;
  private @Nullable HostNamespace opened;
  /** A request came back: left alone until the path says something new, or for a moment. */
  private boolean suspect;

  PathSlot(Path path) {
    this.path = path;
  }

  /** What becomes of it: lower is better, negative is unusable. */
  int rank() {
    return suspect || channel == null ? -1 : view.rank();
  }

  boolean suspected() {
    return suspect;
  }

  void suspect(boolean is) {
    suspect = is;
  }

  /** Sends a request; its rank is not negative. */
  void submit(IoRequest request) {
    BlockChannel open = channel;
    assert open != null;
    inFlight++;
    open.submit(request);
  }

  /** Takes over what the path says now. */
  void refresh(Loop loop) {
    view = path.view();
    suspect = false;
    HostNamespace now = view.namespace();
    if (now != null && now != opened) {
      close();
      try {
        channel = now.open(loop);
        opened = now;
      } catch (RemoraException e) {
        // It went away a moment ago; the path will say so.
        view = PathView.NONE;
      }
    }
  }

  /** Sends nothing more; what is in flight comes back. */
  void close() {
    BlockChannel open = channel;
    channel = null;
    opened = null;
    if (open != null) {
      open.close();
    }
  }
}
