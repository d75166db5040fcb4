package io.remora.sim;

import io.remora.base.Status;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Takes a volume from its host, and gives it back. */
final class Detachment implements Enemy {
  private static final long MAX_NS = 4 * World.SECOND;

  private final Set<String> taken = new LinkedHashSet<>();

  @Override
  public String name() {
    return "detachment";
  }

  @Override
  public long meanPauseNs() {
    return World.SECOND;
  }

  @Override
  public void strike(World world) {
    String volume = world.clients().get(world.random().nextInt(world.clients().size())).name();
    taken.add(volume);
    // What is sent in the moment between finds no namespace.
    world.mayFail(Status.NOT_FOUND);
    world.node().command("unpublish " + volume, node -> node.unpublishVolume(volume), _ -> {}, world::refused);
    world.schedule(world.random().nextLong(MAX_NS), () -> world.node().command("publish " + volume,
        node -> node.publishVolume(volume, null, List.of()), _ -> {}, world::refused));
  }

  @Override
  public void repair(World world) {
    for (String volume : taken) {
      world.node().must("publish " + volume, node -> node.publishVolume(volume, null, List.of()));
    }
  }
}
