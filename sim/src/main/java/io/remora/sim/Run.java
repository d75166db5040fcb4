package io.remora.sim;

import io.remora.base.RemoraException;
import io.remora.base.sim.PowerLoss;
import io.remora.base.sim.SimMachine;
import io.remora.engine.Node;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run of a seed: a world is built, works while its enemies are about, calms down, and is checked. On the thread of the caller, in
 * memory of its own, all of which is given back: runs in different threads do not know of each other.
 */
public final class Run {
  private final World world;
  private final Shape shape;

  private Run(World world) {
    this.world = world;
    this.shape = world.shape();
  }

  /** Runs {@code seed}; {@code listener}, unless it is null, gets each line of the trace and has no influence on the run. */
  public static Outcome of(long seed, @Nullable Consumer<String> listener) {
    try (World world = new World(seed, listener)) {
      String failure = "";
      world.trace().add("world", "%s", world.shape().describe());
      try {
        new Run(world).run();
      } catch (AssertionError | RemoraException e) {
        failure = describe(e);
        world.trace().add("world", "FAILED: %s", failure);
      }
      return new Outcome(seed, failure, world.shape().describe(),
          world.shape().enemies().stream().map(Enemy::name).toList(),
          world.clients().stream().mapToLong(Client::requests).sum(), world.simulation().events(),
          world.simulation().nowNs(), world.simulation().traceHash());
    }
  }

  private void run() {
    world.build();
    world.trace().add("world", "trouble: %s", shape.enemies().stream().map(Enemy::name).toList());
    world.trouble();
    world.clients().forEach(client -> client.work(shape.requests()));
    long endNs = world.simulation().nowNs() + shape.troubleNs();
    world.runUntil(() -> world.simulation().nowNs() > endNs || world.clients().stream().allMatch(Client::done),
        "the trouble");
    world.calm();
    world.clients().forEach(Client::rest);
    settle();
    verify();
    if (shape.darkEnd()) {
      endInDarkness();
    }
    leaveNothing();
  }

  /** Everything that was sent is answered, and everybody is connected. */
  private void settle() {
    world.runUntil(() -> world.clients().stream().allMatch(client -> client.idle() && client.live()),
        "all requests are answered");
    world.noExcuses();
  }

  private void verify() {
    for (Client client : world.clients()) {
      world.runUntil(() -> client.announcedBytes() == world.node().sizeOf(client.name()),
          client.name() + " hears of its size");
      client.noticeGrowth();
      client.readAll();
    }
    world.space().checkVolumes();
  }

  /** What is flushed is there after the power has gone. */
  private void endInDarkness() {
    world.clients().forEach(Client::flush);
    PowerLoss[] ways = PowerLoss.values();
    world.node().losePower(ways[world.random().nextInt(ways.length)]);
    world.node().start();
    world.runUntil(world.node()::up, "the node starts");
    settle();
    verify();
  }

  /** What is given back is free again; what is closed leaves nothing open. */
  private void leaveNothing() {
    world.clients().forEach(Client::deallocateAll);
    if (world.space().usedBytes() != 0) {
      throw new AssertionError(world.space().usedBytes() + " bytes are used after all was given back");
    }
    world.clients().forEach(Client::readAll);
    world.clients().forEach(Client::close);
    world.node().must("stop", Node::close);
    world.simulation().runFor(60 * World.SECOND);
    for (SimMachine machine : world.simulation().machines()) {
      if (machine.openSockets() > 0) {
        throw new AssertionError(machine.openSockets() + " sockets of " + machine + " are left open");
      }
    }
  }

  private static String describe(Throwable failure) {
    String text = failure.getMessage();
    Throwable cause = failure.getCause();
    return text == null
        ? failure.toString()
        : cause == null || text.contains(cause.toString())
            ? text
            : text + ": " + cause;
  }
}
