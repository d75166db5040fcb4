package io.remora.sim;

import io.remora.engine.PoolInfo;
import io.remora.engine.VolumeInfo;
import org.jspecify.annotations.Nullable;

/** Sees that the pool's space adds up, all the time. Belongs to the simulation's thread. */
final class SpaceChecker {
  /** A write is refused when fewer clusters are left than may be on their way to other requests. */
  private static final int TIGHT_CLUSTERS = 8;
  /** For so long the pool counts as full after it was. */
  private static final long MEMORY_NS = 20_000_000_000L;

  private final World world;
  private long tightNs = Long.MIN_VALUE / 2;

  SpaceChecker(World world) {
    this.world = world;
  }

  /** Checks the sums. From any loop. */
  void look() {
    PoolInfo.@Nullable Space space = space();
    if (space == null) {
      return;
    }
    if (space.usedBytes() < 0 || space.reservedBytes() < 0 || space.availableBytes() < 0
        || space.usedBytes() + space.reservedBytes() + space.availableBytes() != space.capacityBytes()) {
      world.fail(new AssertionError("the pool's space does not add up: " + space));
    }
    if (space.availableBytes() < TIGHT_CLUSTERS * space.clusterBytes()) {
      tightNs = world.simulation().nowNs();
    }
  }

  /** Whether the pool has been full, or nearly, a while ago. */
  boolean wasTight() {
    look();
    return world.simulation().nowNs() - tightNs < MEMORY_NS;
  }

  /** What the volumes have is what is used. To be called while no command is under way. */
  void checkVolumes() {
    PoolInfo.@Nullable Space space = space();
    if (space == null) {
      return;
    }
    long used = world.node().volumes().stream().mapToLong(VolumeInfo::usedBytes).sum();
    if (used != space.usedBytes()) {
      throw new AssertionError("volumes have " + used + " bytes, but " + space);
    }
  }

  /** How much is used; -1 while the node does not serve. */
  long usedBytes() {
    PoolInfo.@Nullable Space space = space();
    return space == null ? -1 : space.usedBytes();
  }

  private PoolInfo.@Nullable Space space() {
    PoolInfo pool = world.node().pool();
    return pool == null || pool.state() == PoolInfo.State.FAULTED ? null : pool.space();
  }
}
