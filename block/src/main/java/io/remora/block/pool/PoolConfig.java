package io.remora.block.pool;

import io.remora.base.Check;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/**
 * A pool to be made.
 *
 * @param name of 1 to 128 bytes
 * @param disks at least one; the first is the primary, which lists the others
 * @param clusterBytes the unit in which volumes get space, 64 KiB to 64 MiB, a power of two
 * @param force whether disks that hold another pool are taken nevertheless
 */
public record PoolConfig(String name, UUID uuid, List<DiskSpec> disks, long clusterBytes, boolean force) {
  /** The cluster size unless asked otherwise. */
  public static final long DEFAULT_CLUSTER_BYTES = 1 << 20;

  /**
   * A disk of it.
   *
   * @param sizeBytes the least size: a regular file that is shorter, or does not exist, is extended; 0 takes it as it is
   */
  public record DiskSpec(Path path, long sizeBytes) {}

  /** Checks and copies. */
  public PoolConfig {
    disks = List.copyOf(disks);
    int nameBytes = name.getBytes(StandardCharsets.UTF_8).length;
    Check.argument(nameBytes >= 1 && nameBytes <= Layout.MAX_NAME_BYTES, "pool name '%s' must have 1 to %d bytes", name,
        Layout.MAX_NAME_BYTES);
    Check.argument(!disks.isEmpty() && disks.size() <= Layout.MAX_DISKS, "pool %s: 1 to %d disks, not %d", name,
        Layout.MAX_DISKS, disks.size());
    Check.argument(disks.stream().map(disk -> disk.path().normalize()).distinct().count() == disks.size(),
        "pool %s: a disk is named twice", name);
    Check.argument(Label.validClusterBytes(clusterBytes),
        "pool %s: cluster size %d is no power of two from 64 KiB to 64 MiB", name, clusterBytes);
  }

  /** A pool of one disk with clusters of 1 MiB. */
  public static PoolConfig of(String name, UUID uuid, Path path, long sizeBytes) {
    return new PoolConfig(name, uuid, List.of(new DiskSpec(path, sizeBytes)), DEFAULT_CLUSTER_BYTES, false);
  }
}
