package io.remora.bench.iwarp;

import java.util.concurrent.CompletableFuture;

/** The end that moves bytes and takes the time, connected to the other process. Belongs to its loop; made and used from outside by {@link #connected} and {@link #move}. */
interface Driver {
  /** Ends when the connection stands. */
  CompletableFuture<Void> connected();

  /** Moves {@code bytes}, a multiple of the operation's; ends with the time in nanoseconds when the last one is where it belongs. Any thread, one at a time. */
  CompletableFuture<Long> move(long bytes);
}
