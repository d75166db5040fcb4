package io.remora.sim;

import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * What a seed chooses before anything happens.
 *
 * @param disks how many disks the pool has
 * @param blockBytes the block size of the disks
 * @param canDeallocate whether the disks can give space back
 * @param clusters clusters of each disk, about
 * @param volumes the volumes that hosts use
 * @param hosts how many host machines there are; volumes are dealt to them in turn
 * @param loopsPerHost loops, and so I/O queues, of each host
 * @param nodeLoops loops of the node
 * @param depth requests in flight of each client
 * @param requests requests of each client
 * @param fragments whether the network cuts streams into small pieces
 * @param networkNs the longest way of a packet
 * @param diskNs the longest operation of a disk, as a rule
 * @param troubleNs how long enemies are about at most
 * @param longThinkNs the longest pause between two requests
 * @param holdNs how long hosts hold requests without a connection
 * @param enemies what befalls the run
 * @param darkEnd whether the power goes once more at the end, and all is read again
 */
record Shape(int disks, int blockBytes, boolean canDeallocate, int clusters, List<VolumeShape> volumes, int hosts,
    int loopsPerHost, int nodeLoops, int depth, int requests, boolean fragments, long networkNs,
    long diskNs, long troubleNs, long longThinkNs, long holdNs,
    List<Enemy> enemies, boolean darkEnd) {
  private static final int CLUSTER_BYTES = 64 << 10;
  /** Labels and the least room that metadata takes. */
  private static final long OVERHEAD_BYTES = 1 << 20;
  private static final long SECOND = 1_000_000_000L;

  /**
   * A volume.
   *
   * @param sizeBytes how large
   * @param thick whether its space is reserved
   */
  record VolumeShape(long sizeBytes, boolean thick) {}

  /** The shape that {@code random} picks. */
  static Shape pick(RandomGenerator random) {
    int blockBytes = random.nextBoolean() ? 512 : 4096;
    int disks = 1 + random.nextInt(2);
    int clusters = 12 + random.nextInt(28);
    List<VolumeShape> volumes = new ArrayList<>();
    int count = 1 + random.nextInt(3);
    long room = (long) disks * clusters;
    for (int i = 0; i < count; i++) {
      // Odd sizes too: the last cluster need not be whole.
      long size = (1 + random.nextInt(16)) * (long) CLUSTER_BYTES
          + (random.nextInt(3) == 0 ? random.nextInt(CLUSTER_BYTES / 4096) * 4096L : 0);
      boolean thick = random.nextInt(4) == 0 && size / CLUSTER_BYTES + 1 < room / 2;
      room -= thick ? size / CLUSTER_BYTES + 1 : 0;
      volumes.add(new VolumeShape(size, thick));
    }
    boolean hasty = random.nextInt(8) == 0;
    return new Shape(disks, blockBytes, random.nextInt(4) > 0, clusters, volumes, 1 + random.nextInt(2),
        1 + random.nextInt(2), 1 + random.nextInt(2), 1 + random.nextInt(6), 40 + random.nextInt(80),
        random.nextInt(4) == 0, 2_000L << random.nextInt(8),
        20_000L << random.nextInt(6), (2 + random.nextInt(10)) * SECOND, 1_000_000L << random.nextInt(9),
        hasty ? 2 * SECOND : 600 * SECOND,
        Enemies.pick(random), random.nextBoolean());
  }

  int clusterBytes() {
    return CLUSTER_BYTES;
  }

  /** How large each disk is. */
  long diskBytes() {
    return OVERHEAD_BYTES + (long) clusters * CLUSTER_BYTES;
  }

  /** Makes disks and network of a new world as the shape says. */
  void apply(Simulation simulation, SimMachine node) {
    node.disk().blockSize(blockBytes);
    node.disk().canDeallocate(canDeallocate);
    node.disk().latency(diskNs / 10, diskNs);
    simulation.net().fragments(fragments);
    calm(simulation);
  }

  /** Makes the network as fast as it was. */
  void calm(Simulation simulation) {
    simulation.net().latency(networkNs / 10, networkNs);
  }

  /** For people. */
  String describe() {
    return "%d disk%s of %d clusters, %d-byte blocks; %d volume%s on %d host%s; depth %d%s".formatted(disks,
        disks == 1 ? "" : "s", clusters, blockBytes, volumes.size(), volumes.size() == 1 ? "" : "s", hosts,
        hosts == 1 ? "" : "s", depth, holdNs < 600 * SECOND ? "; hosts give up soon" : "");
  }
}
