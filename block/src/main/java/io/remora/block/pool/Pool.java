package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.Crc32c;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.Zeros;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Disks that share their space among volumes. Belongs to one loop: all methods on its thread, and the futures complete there;
 * only {@link Volume}s go elsewhere.
 *
 * <p>Control operations are done one after the other. What a future has reported is durable. When metadata cannot be written, or
 * a flush fails, the pool takes no more writes until it is opened anew ({@link #failure} says why), and goes on to serve reads.
 */
public final class Pool {
  private static final int MAX_PROBLEMS = 1000;

  private final Loop loop;
  private final String name;
  private final UUID uuid;
  private final long clusterBytes;
  private final long createdMs;
  private final Crc32c crc = new Crc32c();
  private final Space space = new Space(this);
  private final Lane lane;
  /** What the pool has on other loops. */
  private final Map<Loop, Lane> lanes = new LinkedHashMap<>();
  private final Map<UUID, Volume> volumes = new LinkedHashMap<>();
  private final Map<String, Volume> byName = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();
  private volatile PoolDisk[] disks = {};
  private volatile Region[] regions = {};
  /** The disks that the primary's label names; one may be on its way in. */
  private List<UUID> members = List.of();
  private long totalClusters;
  private long damagedClusters;
  private long sequence;
  private int nextNumber = 1;
  private volatile int lostLimit;
  private boolean keepsOrphans;
  private boolean allocating;
  private boolean closing;
  private volatile @Nullable String failure;
  private CompletableFuture<?> control = CompletableFuture.completedFuture(null);
  private @Nullable VolumeIo freeVolumeIo;

  Pool(Loop loop, String name, UUID uuid, long clusterBytes, long createdMs) {
    this.loop = loop;
    this.name = name;
    this.uuid = uuid;
    this.clusterBytes = clusterBytes;
    this.createdMs = createdMs;
    this.lane = new Lane(this, loop);
  }

  /**
   * Makes a pool. Fails with EXISTS when a disk holds a pool already and {@link PoolConfig#force} is not set, with INVALID when a
   * disk is too small, and as {@link io.remora.base.Disk#open}.
   */
  public static CompletableFuture<Pool> create(Loop loop, PoolConfig config) {
    return PoolCreation.run(loop, config);
  }

  /**
   * Opens ("imports") the pool that lies on the disks at {@code paths}, in any order; all of them must be there. Fails with
   * NOT_FOUND and the name of what is missing, CORRUPT, UNSUPPORTED when a later program has made it, BUSY when another process
   * has it.
   */
  public static CompletableFuture<Pool> open(Loop loop, List<Path> paths) {
    return PoolImport.run(loop, paths);
  }

  /**
   * Takes the labels of the pool {@code uuid}, and labels that cannot be read, off the disks at {@code paths}: for a pool whose
   * creation or destruction was cut off. Disks that are not there, and those of other pools, are left alone.
   */
  public static CompletableFuture<Void> erase(Loop loop, UUID uuid, List<Path> paths) {
    return PoolErasure.run(loop, uuid, paths);
  }

  /** The loop that owns it. */
  public Loop loop() {
    return loop;
  }

  /** For people. */
  public String name() {
    return name;
  }

  /** Its identity. */
  public UUID uuid() {
    return uuid;
  }

  /** The unit in which volumes get space. */
  public long clusterBytes() {
    return clusterBytes;
  }

  /** When it was made, in milliseconds since 1970. */
  public long createdMs() {
    return createdMs;
  }

  /** Where its disks are, the primary first. */
  public List<Path> paths() {
    return Arrays.stream(disks).map(PoolDisk::path).toList();
  }

  /** Its volumes, oldest first as a rule. */
  public Collection<Volume> volumes() {
    return List.copyOf(volumes.values());
  }

  /** The volume of that identity. */
  public Optional<Volume> volume(UUID volumeUuid) {
    return Optional.ofNullable(volumes.get(volumeUuid));
  }

  /** The volume of that name. */
  public Optional<Volume> volume(String volumeName) {
    return Optional.ofNullable(byName.get(volumeName));
  }

  /** Where the space is. */
  public Usage usage() {
    return new Usage(space.capacity() * clusterBytes, space.used() * clusterBytes, space.reserved() * clusterBytes,
        space.available() * clusterBytes, damagedClusters * clusterBytes);
  }

  /** Where the space of one volume is; available is what it has not been given. */
  public Usage usage(Volume volume) {
    long used = volume.map().mapped();
    long reserved = volume.reserved();
    long all = volume.clusters();
    return new Usage(all * clusterBytes, used * clusterBytes, reserved * clusterBytes,
        (all - used - reserved) * clusterBytes, 0);
  }

  /** What was found to be wrong and what was done about it, one sentence each; at most a thousand. */
  public List<String> problems() {
    return List.copyOf(problems);
  }

  /** Why it takes no writes; empty when it does. From any thread. */
  public Optional<String> failure() {
    return Optional.ofNullable(failure);
  }

  /** What is wrong with its disks while it goes on nevertheless, one sentence for each; empty when all is well. */
  public List<String> warnings() {
    return Arrays.stream(disks).flatMap(disk -> disk.warning().stream()).toList();
  }

  /**
   * Whether the pool cannot say where some data is, for want of both copies of some metadata. When it is the table that is
   * damaged, clusters of volumes that seem not to be allocated give CORRUPT until {@link #acceptDamage}.
   */
  public boolean damaged() {
    return lostLimit != 0 || keepsOrphans;
  }

  /** Makes a volume. Fails with EXISTS when name or identity is taken, NO_SPACE when it is thick and there is no room. */
  public CompletableFuture<Volume> createVolume(VolumeSpec spec) {
    return control(() -> new VolumeControl(this).create(spec));
  }

  /** Gives a volume another size. What lies beyond a smaller one is gone; what a larger one adds is zeros. */
  public CompletableFuture<Void> resize(Volume volume, long sizeBytes) {
    return control(() -> new VolumeControl(this).resize(volume, sizeBytes));
  }

  /** Replaces a volume's properties. */
  public CompletableFuture<Void> setProperties(Volume volume, Map<String, String> properties) {
    return control(() -> new VolumeControl(this).setProperties(volume, properties));
  }

  /** Deletes a volume for good. Fails with BUSY when a channel is open. */
  public CompletableFuture<Void> delete(Volume volume) {
    return control(() -> new VolumeControl(this).delete(volume));
  }

  /** Takes in what the disks have grown by since they were opened. */
  public CompletableFuture<Void> grow() {
    return control(() -> new PoolGrowth(this).grow());
  }

  /** Extends the regular file at {@code path}, one of the pool's disks, to {@code sizeBytes} and takes in what that adds. */
  public CompletableFuture<Void> grow(Path path, long sizeBytes) {
    return control(() -> new PoolGrowth(this).grow(path, sizeBytes));
  }

  /** Adds a disk. Fails as {@link #create}. */
  public CompletableFuture<Void> addDisk(PoolConfig.DiskSpec disk, boolean force) {
    return control(() -> new PoolGrowth(this).add(disk, force));
  }

  /**
   * Gives up what was lost with damaged metadata: clusters that nobody can claim become free, and clusters that seem not to be
   * allocated read as zeros again.
   */
  public CompletableFuture<Void> acceptDamage() {
    return control(() -> PoolDamage.accept(this));
  }

  /** Lets requests in flight end, writes what is not written, and lets go of the disks. Volumes take no more requests. */
  public CompletableFuture<Void> close() {
    return control(() -> stop().whenComplete((_, _) -> closeFiles()));
  }

  /** Destroys the pool with all its volumes: its disks hold no pool afterwards. Fails with BUSY when a channel is open. */
  public CompletableFuture<Void> destroy() {
    return control(() -> {
      for (Volume volume : volumes.values()) {
        if (volume.openChannels() > 0) {
          throw new RemoraException(Status.BUSY, "volume " + volume.name() + " is in use; pool " + name + " stays");
        }
      }
      return stop().thenCompose(_ -> wipe(0)).whenComplete((_, _) -> closeFiles());
    });
  }

  /** The primary goes first: without it the others are no pool. */
  private CompletableFuture<Void> wipe(int index) {
    if (index == disks.length) {
      return CompletableFuture.completedFuture(null);
    }
    PoolDisk disk = disks[index];
    return disk.write(Layout.LABEL_A, Zeros.SEGMENT, Layout.PAGE_BYTES)
        .thenCompose(_ -> disk.write(Layout.LABEL_B, Zeros.SEGMENT, Layout.PAGE_BYTES))
        .thenCompose(_ -> disk.flush()).thenCompose(_ -> wipe(index + 1));
  }

  private CompletableFuture<Void> stop() {
    closing = true;
    space.serve();
    List<CompletableFuture<?>> ends = new ArrayList<>();
    for (Volume volume : volumes.values()) {
      volume.remove(Status.ABORTED);
      ends.add(still(volume).thenRun(volume::letGo));
    }
    for (PoolDisk disk : disks) {
      ends.add(disk.cleaner().whenIdle());
    }
    return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).thenCompose(_ -> closeLanes())
        .thenCompose(_ -> failed() ? CompletableFuture.completedFuture(null) : settle());
  }

  private CompletableFuture<Void> closeLanes() {
    return CompletableFuture.allOf(lanes.values().stream().map(Lane::close).toArray(CompletableFuture[]::new));
  }

  /** Writes all metadata that is not written, and flushes. */
  CompletableFuture<Void> settle() {
    List<CompletableFuture<?>> ends = new ArrayList<>();
    for (PoolDisk disk : disks) {
      List<CompletableFuture<?>> pages = new ArrayList<>();
      for (Region region : disk.regions()) {
        addUnsettled(region.slots, region.slotsUsed, pages);
        addUnsettled(region.table, region.tableUsed, pages);
      }
      ends.add(CompletableFuture.allOf(pages.toArray(CompletableFuture[]::new)).thenCompose(_ -> disk.flush()));
    }
    return CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new));
  }

  private static void addUnsettled(MetaArea area, int used, List<CompletableFuture<?>> pages) {
    for (int i = 0; i < used; i++) {
      Page page = area.find(i);
      if (page != null && !page.settled()) {
        pages.add(area.written(page));
      }
    }
  }

  private void closeFiles() {
    closing = true;
    for (PoolDisk disk : disks) {
      disk.file().close();
    }
  }

  private <T extends @Nullable Object> CompletableFuture<T> control(Supplier<CompletableFuture<T>> operation) {
    Check.that(loop.inLoop(), "pool %s belongs to loop %s", name, loop.name());
    CompletableFuture<T> result = control.handle((_, _) -> null).thenCompose(_ -> {
      if (closing) {
        throw new RemoraException(Status.ABORTED, "pool " + name + " has been closed");
      }
      return operation.get();
    });
    control = result;
    return result;
  }

  // For the classes of this package.

  /** Completes when no request of {@code volume} runs; those that come are held back until {@link Volume#letGo}. */
  CompletableFuture<Void> still(Volume volume) {
    CompletableFuture<Void> future = new CompletableFuture<>();
    volume.hold(() -> future.complete(null));
    return future;
  }

  /** Throws READ_ONLY when the pool takes no writes. */
  void checkWritable() {
    String why = failure;
    if (why != null) {
      throw new RemoraException(Status.READ_ONLY, "pool " + name + " takes no writes: " + why);
    }
  }

  boolean failed() {
    return failure != null;
  }

  boolean closing() {
    return closing;
  }

  /** Metadata could not be written, or a flush has failed: no more writes. */
  void fail(Status status, String why) {
    if (failure == null) {
      failure = why;
      addProblem(why + " (" + status.text() + "); the pool takes no writes until it is opened anew");
      space.serve();
    }
  }

  void addProblem(String problem) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(problem);
    }
  }

  Crc32c crc() {
    return crc;
  }

  Space space() {
    return space;
  }

  /** Whether anybody has asked for a cluster since the pool was opened. */
  boolean allocating() {
    return allocating;
  }

  int diskCount() {
    return disks.length;
  }

  PoolDisk disk(int index) {
    return disks[index];
  }

  int memoryAlignment() {
    int alignment = 1;
    for (PoolDisk disk : disks) {
      alignment = Math.max(alignment, disk.file().memoryAlignment());
    }
    return alignment;
  }

  /** The largest block size of the disks. */
  int blockSize() {
    int size = 512;
    for (PoolDisk disk : disks) {
      size = Math.max(size, disk.file().blockSize());
    }
    return size;
  }

  void addDisk(PoolDisk disk) {
    PoolDisk[] more = Arrays.copyOf(disks, disks.length + 1);
    more[disks.length] = disk;
    disks = more;
    lanes.values().forEach(other -> other.open(disk));
  }

  /** What the pool has on this loop. */
  Lane lane() {
    return lane;
  }

  /** What the pool has on another loop. */
  Lane lane(Loop other) {
    Lane known = lanes.get(other);
    if (known != null) {
      return known;
    }
    Lane made = new Lane(this, other);
    lanes.put(other, made);
    for (PoolDisk disk : disks) {
      made.open(disk);
    }
    return made;
  }

  List<UUID> members() {
    return members;
  }

  void members(List<UUID> now) {
    members = List.copyOf(now);
  }

  /** A region with nothing in it yet; its clusters count from now on. */
  Region addRegion(PoolDisk disk, RegionShape shape) {
    checkRoomFor(shape);
    Region region = new Region(disk, shape, (int) totalClusters, crc);
    disk.regions().add(region);
    Region[] more = Arrays.copyOf(regions, regions.length + 1);
    more[regions.length] = region;
    regions = more;
    totalClusters += shape.clusters();
    space.addCapacity(shape.clusters());
    return region;
  }

  /** Throws NO_RESOURCES when the pool cannot count the clusters of one more region. */
  void checkRoomFor(RegionShape shape) {
    if (totalClusters + shape.clusters() > Layout.MAX_CLUSTERS) {
      throw new RemoraException(Status.NO_RESOURCES,
          "pool %s would have more than %d clusters: take larger clusters".formatted(name, Layout.MAX_CLUSTERS));
    }
  }

  /** From any thread, for a cluster that was found in a volume's map. */
  Region regionOf(int cluster) {
    Region[] all = regions;
    int low = 0;
    int high = all.length - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (all[middle].base <= cluster) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return all[low];
  }

  /** The label of {@code disk} as the pool is now. */
  MemorySegment labelPage(PoolDisk disk, long labelSequence) {
    MemorySegment page = Arena.ofAuto().allocate(Layout.PAGE_BYTES, Layout.PAGE_BYTES);
    new Label(labelSequence, uuid, name, disk.uuid(), members.getFirst(), disk.index(), clusterBytes, createdMs,
        disk.index() == 0 ? members : List.of(), disk.regionEntries(), disk.moves().all()).encode(page, crc);
    return page;
  }

  /** Takes {@code pages} more pages of an area into use: zeroed, then noted in the label, durably. */
  CompletableFuture<Void> extend(MetaArea area, Region region, int from, int pages, Runnable note) {
    return region.disk.moves().zero(area, from, pages).thenCompose(_ -> {
      note.run();
      return region.disk.updateLabel();
    });
  }

  long nextSequence() {
    return ++sequence;
  }

  long sequence() {
    return sequence;
  }

  void sawSequence(long seen) {
    sequence = Math.max(sequence, seen);
  }

  int takeNumber() {
    Check.that(nextNumber != 0, "pool %s has given away all volume numbers", name);
    return nextNumber++;
  }

  void sawNumber(int number) {
    if (nextNumber != 0 && Integer.compareUnsigned(number, nextNumber) >= 0) {
      nextNumber = number + 1;
    }
  }

  int lastNumber() {
    return nextNumber - 1;
  }

  void add(Volume volume) {
    volumes.put(volume.uuid(), volume);
    byName.put(volume.name(), volume);
  }

  void forget(Volume volume) {
    volumes.remove(volume.uuid());
    byName.remove(volume.name());
  }

  Collection<Region> regions() {
    return Arrays.asList(regions);
  }

  /** Clusters are, or are not any more, out of everybody's reach. */
  void addDamaged(long clusters) {
    damagedClusters += clusters;
    space.addCapacity(-clusters);
  }

  void markBad(Region region, int cluster) {
    region.mark(cluster, Entry.BAD, 0);
    addDamaged(1);
    addProblem("%s: the disk cannot write %d bytes at %d; they are used no more".formatted(region.disk.path(),
        clusterBytes, region.offset(cluster, clusterBytes)));
  }

  void lostLimit(int number) {
    lostLimit = number;
  }

  void keepsOrphans(boolean keeps) {
    keepsOrphans = keeps;
  }

  /** Whether an unallocated cluster of {@code volume} may be one whose entry is lost. */
  boolean mayHaveLost(Volume volume) {
    return lostLimit != 0 && Integer.compareUnsigned(volume.record().number(), lostLimit) <= 0;
  }

  // The data path.

  void map(Volume volume, long logical, int cluster) {
    Region region = regionOf(cluster);
    volume.map().putFresh(logical, cluster);
    region.map(cluster - region.base, volume.record().number(), logical, (int) nextSequence());
  }

  void unmap(Volume volume, long logical) {
    int cluster = volume.map().remove(logical);
    Region region = regionOf(cluster);
    region.free(cluster - region.base);
    region.unsettled.set(cluster - region.base);
    space.release(volume);
    region.disk.cleaner().kick();
  }

  void wantsClusters() {
    allocating = true;
  }

  boolean metadataQuiet() {
    for (PoolDisk disk : disks) {
      if (!disk.metadataQuiet()) {
        return false;
      }
    }
    return true;
  }

  /** {@link #metadataQuiet} from any thread; it may be false when that is true. */
  boolean quiet() {
    for (PoolDisk disk : disks) {
      if (!disk.quiet()) {
        return false;
      }
    }
    return true;
  }

  /** Whether the entry of {@code cluster}, which is mapped, has been written. */
  boolean settled(int cluster) {
    Region region = regionOf(cluster);
    return region.settled(cluster - region.base);
  }

  /** Flushes all disks for {@code io}, which waits for one part already. */
  void flush(VolumeIo io) {
    for (PoolDisk disk : disks) {
      io.addPart();
      disk.flush(io);
    }
    io.done(Status.OK);
  }

  VolumeIo takeVolumeIo() {
    VolumeIo io = freeVolumeIo;
    if (io == null) {
      return new VolumeIo(this);
    }
    freeVolumeIo = io.nextFree;
    io.nextFree = null;
    return io;
  }

  void release(VolumeIo io) {
    io.nextFree = freeVolumeIo;
    freeVolumeIo = io;
  }

  @Override
  public String toString() {
    return "pool " + name + " (" + uuid + ")";
  }
}
