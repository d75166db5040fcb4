package io.remora.nvme.target;

import java.util.concurrent.CompletableFuture;

/**
 * Write protection of a namespace that outlives the target's process: a host that has set it was told that it holds until a host takes it
 * back (NVMe Base 2.0, 8.12). Immutable.
 *
 * @param on whether hosts may not write from the beginning
 * @param keeper remembers what hosts change
 */
public record KeptProtection(boolean on, Keeper keeper) {
  /** Off, and forgotten with the process. */
  public static final KeptProtection NONE = new KeptProtection(false, on -> CompletableFuture.completedFuture(null));

  /** Remembers whether hosts may write a namespace. */
  public interface Keeper {
    /**
     * A host switches protection on or off. It is answered when the future is done, on whatever thread; when that fails the host is told so
     * and the namespace stays as it was. Called on any loop, one after the other for each namespace.
     *
     * @return done when the next life of the namespace will begin so
     */
    CompletableFuture<Void> keep(boolean on);
  }
}
