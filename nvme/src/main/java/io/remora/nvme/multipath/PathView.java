package io.remora.nvme.multipath;

import io.remora.nvme.host.HostNamespace;
import org.jspecify.annotations.Nullable;

/**
 * What channels need to know of a path. Immutable.
 *
 * @param namespace where requests go; null while there is no connection
 * @param rank 0 is the best; -1: takes no requests
 */
record PathView(@Nullable HostNamespace namespace, int rank) {
  static final PathView NONE = new PathView(null, -1);

  /** Whether it takes requests. */
  boolean usable() {
    return rank >= 0;
  }
}
