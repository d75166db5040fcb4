package io.remora.engine;

import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.engine.NodeState.Publication;
import io.remora.nvme.target.KeptProtection;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps in the node's state that a host has write protected a published volume; ends with the publication. From any thread; the state is changed
 * on the control loop, between the node's commands.
 */
final class PublicationProtection implements KeptProtection.Keeper {
  private static final Logger LOG = LoggerFactory.getLogger(PublicationProtection.class);

  private final Loop loop;
  private final StateFile state;
  private final UUID volume;

  PublicationProtection(Loop loop, StateFile state, UUID volume) {
    this.loop = loop;
    this.state = state;
    this.volume = volume;
  }

  /** What {@code publication} was left with, and how it goes on. */
  static KeptProtection of(Loop loop, StateFile state, Publication publication) {
    return new KeptProtection(publication.writeProtected(),
        new PublicationProtection(loop, state, publication.volume()));
  }

  @Override
  public CompletableFuture<Void> keep(boolean on) {
    CompletableFuture<Void> kept = new CompletableFuture<>();
    loop.execute(() -> {
      try {
        store(on);
        kept.complete(null);
      } catch (RemoraException e) {
        LOG.error("cannot remember that volume {} is {}: {}", volume, on ? "write protected" : "writable again",
            e.getMessage());
        kept.completeExceptionally(e);
      }
    });
    return kept;
  }

  private void store(boolean on) {
    Publication now = state.now().publication(volume);
    if (now == null) {
      throw new RemoraException(Status.NOT_FOUND, "it is not published any more");
    }
    state.store(state.now().with(now.withWriteProtected(on)));
  }
}
