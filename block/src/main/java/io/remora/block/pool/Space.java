package io.remora.block.pool;

import io.remora.base.Status;
import org.jspecify.annotations.Nullable;

/**
 * Who has how many clusters, and who gets the next. Belongs to the pool's loop.
 *
 * <p>Invariant: capacity = mapped + reserved + available. A request is refused only when nothing is available; when something is, but
 * not clean yet, it waits in order. The queue is bounded by the requests in flight.
 *
 * <p>A cluster whose freeing is not durable yet may be back after a power loss, and then what was given away on the strength of it
 * would be missing where it was reserved. So thin volumes wait for it: it counts as available, but is not handed out.
 */
final class Space {
  /** So many clean clusters a region keeps ready once it has been asked for any. */
  static final int LOW = 64;

  /** {@link #take} has put the request into the queue. */
  static final int WAIT = -1;
  /** {@link #take} has refused. */
  static final int FULL = -2;

  private final Pool pool;
  private long capacity;
  private long mapped;
  private long reserved;
  private long unsettled;
  private int rotor;
  private boolean serving;
  private @Nullable VolumeIo head;
  private @Nullable VolumeIo tail;

  Space(Pool pool) {
    this.pool = pool;
  }

  long capacity() {
    return capacity;
  }

  long used() {
    return mapped;
  }

  long reserved() {
    return reserved;
  }

  long available() {
    return capacity - mapped - reserved;
  }

  void addCapacity(long clusters) {
    capacity += clusters;
  }

  /** A cluster was found mapped at import. */
  void addMapped() {
    mapped++;
  }

  void addReserved(long clusters) {
    reserved += clusters;
  }

  /** A mapped cluster of {@code volume} has become free; not durably yet. */
  void release(Volume volume) {
    mapped--;
    unsettled++;
    if (!volume.thin()) {
      reserved++;
    }
  }

  /** So many of the released clusters are free durably now. */
  void settled(long clusters) {
    unsettled -= clusters;
  }

  /** Whether somebody waits for a cluster. */
  boolean awaited() {
    return head != null;
  }

  /**
   * Takes a clean cluster for {@code io}'s volume and returns its number; or {@link #WAIT}: {@link VolumeIo#resume} is called later;
   * or {@link #FULL}.
   */
  int take(VolumeIo io) {
    pool.wantsClusters();
    Volume volume = io.volume();
    if (refuses(volume)) {
      return FULL;
    }
    Region region = (serving || head == null) && mayHave(volume) ? pick() : null;
    if (region == null) {
      if (!hope()) {
        return FULL;
      }
      enqueue(io);
      refillAll();
      return WAIT;
    }
    int cluster = region.takeClean();
    mapped++;
    if (!volume.thin()) {
      reserved--;
    }
    if (region.cleanCount() < LOW) {
      region.disk.cleaner().kick();
    }
    return region.base + cluster;
  }

  /** Clusters have become clean, or are known not to: those who wait look again, in order. */
  void serve() {
    if (serving) {
      return;
    }
    serving = true;
    try {
      VolumeIo io = head;
      while (io != null && (pool.failed() || pool.closing() || !hope() || canDecide(io.volume()))) {
        head = io.nextWaiter;
        if (head == null) {
          tail = null;
        }
        io.nextWaiter = null;
        if (pool.failed()) {
          io.refuse(Status.READ_ONLY);
        } else if (pool.closing()) {
          io.refuse(Status.ABORTED);
        } else {
          io.resume();
        }
        io = head;
      }
    } finally {
      serving = false;
    }
  }

  /** What is reserved is there for thick volumes; the others share the rest. */
  private boolean refuses(Volume volume) {
    return volume.thin() && available() <= 0;
  }

  private boolean mayHave(Volume volume) {
    return !volume.thin() || available() > unsettled;
  }

  private boolean canDecide(Volume volume) {
    return refuses(volume) || (mayHave(volume) && anyClean());
  }

  /** Whether {@code volume} may grow by so many reserved clusters. */
  boolean fits(long clusters) {
    return clusters <= available();
  }

  private void enqueue(VolumeIo io) {
    VolumeIo last = tail;
    if (last == null) {
      head = io;
    } else {
      last.nextWaiter = io;
    }
    tail = io;
  }

  /** The next region that has a clean cluster, disk by disk in turn. */
  private @Nullable Region pick() {
    int disks = pool.diskCount();
    for (int i = 0; i < disks; i++) {
      PoolDisk disk = pool.disk((rotor + i) % disks);
      for (int j = 0; j < disk.regions().size(); j++) {
        Region region = disk.regions().get(j);
        if (region.cleanCount() > 0) {
          rotor = (rotor + i + 1) % disks;
          return region;
        }
      }
    }
    return null;
  }

  private boolean anyClean() {
    for (int i = 0; i < pool.diskCount(); i++) {
      PoolDisk disk = pool.disk(i);
      for (int j = 0; j < disk.regions().size(); j++) {
        if (disk.regions().get(j).cleanCount() > 0) {
          return true;
        }
      }
    }
    return false;
  }

  /** Whether anything is clean or may become so. */
  private boolean hope() {
    if (anyClean()) {
      return true;
    }
    for (int i = 0; i < pool.diskCount(); i++) {
      PoolDisk disk = pool.disk(i);
      if (disk.cleaner().busy()) {
        return true;
      }
      for (int j = 0; j < disk.regions().size(); j++) {
        if (disk.regions().get(j).canClean(!disk.cleaner().starved())) {
          return true;
        }
      }
    }
    return false;
  }

  private void refillAll() {
    for (int i = 0; i < pool.diskCount(); i++) {
      pool.disk(i).cleaner().kick();
    }
  }
}
