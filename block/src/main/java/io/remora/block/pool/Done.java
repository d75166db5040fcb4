package io.remora.block.pool;

import io.remora.base.Status;

/** Hears once that something waited for has ended. On the pool's loop. */
interface Done {
  void done(Status status);
}
