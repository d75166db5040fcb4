package io.remora.nvme.host;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.AnaState;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * A controller of a subsystem somewhere, kept connected: bring-up, I/O queues, namespaces, keep-alive, and after a failure reset and
 * reconnection ({@link Associations}). What changes belongs to the first of its loops; public methods may be called from any thread, unless they say otherwise.
 *
 * <p>What happens to I/O when the connection is lost: requests are held, and sent again on the next association; the caller only
 * sees that it takes longer. Commands that change data are sent again when {@link HostOptions.Resend} allows it. After {@link
 * HostOptions.Times#holdNs} they complete with DISCONNECTED instead; whether they took place is unknown then, and they may
 * still take place for as long as the old association lives. Until that is over this controller sends nothing that changes data, so that what
 * the caller writes afterwards stays.
 *
 * <p>Not covered: a target that loses power between a completed write and the flush after it, and comes back before the host
 * gives up. It loses the write, as every volatile cache may, and the flush, sent to the new association, cannot know.
 */
public final class HostController {
  private final HostTransport transport;
  private final Loop loop;
  private final HostOptions options;
  private final HostReport report;
  private final Inventory inventory;
  private final Associations associations;

  private HostController(HostTransport transport, List<Loop> loops, HostOptions options) {
    this.transport = transport;
    this.loop = loops.getFirst();
    this.options = options;
    this.report = new HostReport(this, loop.clock(), this::attempts, this::aborts);
    this.inventory = new Inventory(this, loop, report);
    this.associations = new Associations(transport, loops, options, report, inventory);
  }

  private int attempts() {
    return associations.attempts();
  }

  private long aborts() {
    return associations.aborts();
  }

  /**
   * Connects. The admin queue lives on the first loop, the I/O queues on all of them in turn. The future is done on the first
   * loop; when the first attempt fails it fails with {@link RemoraException}, and there is nothing to close.
   */
  public static CompletableFuture<HostController> connect(HostTransport transport, List<Loop> loops,
      HostOptions options) {
    Check.argument(!loops.isEmpty(), "no loops to connect on");
    CompletableFuture<HostController> result = new CompletableFuture<>();
    loops.getFirst().execute(() -> {
      HostController controller = new HostController(transport, loops, options);
      controller.associations.connected().whenComplete((v, failure) -> {
        if (failure == null) {
          result.complete(controller);
        } else {
          result.completeExceptionally(failure);
        }
      });
      controller.associations.attempt();
    });
    return result;
  }

  /** The subsystem it belongs to. */
  public String subsystemNqn() {
    return options.subsystemNqn();
  }

  /** How it was connected. */
  public HostOptions options() {
    return options;
  }

  /** What carries its queues. */
  HostTransport transport() {
    return transport;
  }

  /** What it last said of itself. */
  public ControllerInfo info() {
    ControllerInfo known = inventory.info();
    Check.that(known != null, "not connected yet");
    assert known != null;
    return known;
  }

  /** How it is doing. */
  public HostStatus status() {
    return report.status();
  }

  /** The namespaces that it has now, by identifier. */
  public List<HostNamespace> namespaces() {
    return inventory.namespaces();
  }

  /** The namespace {@code nsid}; empty when there is none. */
  public Optional<HostNamespace> namespace(int nsid) {
    return inventory.namespaces().stream().filter(namespace -> namespace.nsid() == nsid).findFirst();
  }

  /** The loops that have an I/O queue of their own: channels opened on these are the fast ones. */
  public List<Loop> channelLoops() {
    return associations.queues().loops();
  }

  /** Sends a command to the controller, once, and only while it is connected. */
  CompletableFuture<Void> submit(AdminCommand command) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> {
      Association current = associations.live();
      if (current == null) {
        done.completeExceptionally(
            new RemoraException(Status.DISCONNECTED, command.what() + ": not connected to " + subsystemNqn()));
        return;
      }
      current.admin().submit(command).whenComplete((answer, failure) -> {
        if (failure == null) {
          done.complete(null);
        } else {
          done.completeExceptionally(Failure.of(failure).cause());
        }
      });
    });
    return done;
  }

  /** Adds a listener. */
  public void addListener(HostListener listener) {
    report.add(listener);
  }

  /** Removes a listener. */
  public void removeListener(HostListener listener) {
    report.remove(listener);
  }

  /** Resets the controller, as after a time-out: what is in flight is held and sent again. */
  public void reset(String why) {
    loop.execute(() -> associations.reset(why));
  }

  /**
   * Shuts the controller down in order and closes everything; I/O that is still in flight completes with ABORTED. The future is
   * done when no memory of a request is in use and all connections are closed.
   */
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> associations.close(done));
    return done;
  }

  /**
   * Stops the controller, and closes everything when nothing of what was sent can be carried out any more; until then requests that
   * change data may be in flight. With {@link HostOptions.OnLoss#RETURN} all requests come back with DISCONNECTED; else those
   * that are left complete with ABORTED.
   */
  public CompletableFuture<Void> retire() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    loop.execute(() -> associations.retire(done));
    return done;
  }

  /**
   * The controllers of its past associations that may still carry out what was sent to them, by identifier. On the first loop.
   */
  public List<Integer> suspects() {
    return associations.fence().suspects();
  }

  /**
   * Somebody who knows says that the controller {@code cntlid} of a past association is dead: what it still had is not carried
   * out any more. On the first loop.
   */
  public void declareDead(int cntlid) {
    associations.fence().dead(cntlid);
  }

  /**
   * Asks which controllers the subsystem has, by identifier (Identify CNS 13h). Empty when it does not say, or too many to say.
   * On the first loop.
   */
  public CompletableFuture<Set<Integer>> siblings() {
    Association current = associations.live();
    if (current == null) {
      return CompletableFuture.completedFuture(Set.of());
    }
    return FenceQuestion.controllers(current, 0).exceptionally(e -> Set.of());
  }

  /** The queue for a channel on {@code on}: one of that loop, if there is one. */
  HostQueue queue(Loop on) {
    return associations.queues().choose(on);
  }

  /** How well namespaces of an ANA group are reached. From any thread. */
  AnaState access(int group) {
    return inventory.access(group);
  }
}
