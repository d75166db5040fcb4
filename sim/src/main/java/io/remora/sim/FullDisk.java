package io.remora.sim;

import io.remora.base.Status;
import io.remora.base.sim.SimDisk;

/** Leaves no room on the file system that the pool's files lie on. */
final class FullDisk implements Enemy {
  private static final long MAX_NS = 2 * World.SECOND;
  private static final int MAX_ROOM = 256 << 10;

  @Override
  public String name() {
    return "full disk";
  }

  @Override
  public long meanPauseNs() {
    return World.SECOND;
  }

  @Override
  public void strike(World world) {
    SimDisk disk = world.node().machine().disk();
    world.diskTrouble(Status.NO_SPACE, Status.MEDIUM_ERROR, Status.READ_ONLY);
    disk.capacityBytes(disk.allocatedBytes() + world.random().nextInt(MAX_ROOM));
    world.trace().add("disk", "the file system is full");
    world.schedule(world.random().nextLong(MAX_NS), () -> {
      if (world.troubled()) {
        leave(world);
        world.replace();
      }
    });
  }

  @Override
  public void leave(World world) {
    world.trace().add("disk", "the file system has room");
    world.node().machine().disk().capacityBytes(Long.MAX_VALUE);
  }
}
