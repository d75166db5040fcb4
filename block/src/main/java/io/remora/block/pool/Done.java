package io.remora.block.pool;

import io.remora.base.Status;

/** Hears once that something waited for has ended. On the loop of the one that waits. */
interface Done {
  void done(Status status);
}
