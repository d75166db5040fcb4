package io.remora.engine;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * How a pool is.
 *
 * @param name its name, unique in the node
 * @param uuid its identity
 * @param disks what it lies on
 * @param state how it is doing
 * @param reason why it is not online; empty when it is
 * @param space how full it is; all zero when it is not online
 * @param volumes how many volumes it has
 */
public record PoolInfo(String name, UUID uuid, List<Path> disks, State state, String reason, Space space,
    int volumes) {
  /** How a pool is doing. */
  public enum State {
    /** Serving. */
    ONLINE,
    /** Serving, but some of it is damaged, or a disk fails now and then: see the reason. */
    DEGRADED,
    /** It takes no writes any more; reads go on: see the reason. */
    READ_ONLY,
    /** It could not be opened: see the reason. Its volumes are not served. */
    FAULTED
  }

  /**
   * How full it is, in bytes. Used, reserved and available add up to the capacity.
   *
   * @param clusterBytes the unit in which volumes get space
   * @param capacityBytes what volumes can have in all
   * @param usedBytes clusters that hold data
   * @param reservedBytes clusters promised to thick volumes and not used yet
   * @param availableBytes the rest
   */
  public record Space(long clusterBytes, long capacityBytes, long usedBytes, long reservedBytes, long availableBytes) {
    /** Of a pool that is not open. */
    public static final Space NONE = new Space(0, 0, 0, 0, 0);
  }
}
