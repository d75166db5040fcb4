package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The disks of a {@link SimMachine}: its files, which outlive every crash, and how they behave. For tests; the code under test
 * sees them through {@link io.remora.base.Disk}. Belongs to the simulation's thread.
 */
public final class SimDisk {
  private final Simulation simulation;
  private final SplittableRandom random;
  private final Map<Path, SimFile> files = new TreeMap<>();
  private final List<Recording> recordings = new ArrayList<>();
  private Medium medium = new Medium();
  private long lastId;
  private int blockSize = 4096;
  private boolean canDeallocate = true;
  private long capacityBytes = Long.MAX_VALUE;
  private long minLatencyNs = 10_000;
  private long maxLatencyNs = 200_000;

  SimDisk(Simulation simulation, SplittableRandom random) {
    this.simulation = simulation;
    this.random = random;
  }

  /** The block size of files that are opened from now on: 512 to 4096, a power of two. At first 4096. */
  public void blockSize(int bytes) {
    checkBlockSize(bytes);
    blockSize = bytes;
  }

  static void checkBlockSize(int bytes) {
    Check.argument(bytes >= 512 && bytes <= 4096 && Integer.bitCount(bytes) == 1, "block size %d", bytes);
  }

  /** Whether files that are opened from now on can deallocate. At first they can. */
  public void canDeallocate(boolean can) {
    canDeallocate = can;
  }

  /** How much all files together may take; more gives NO_SPACE. At first there is no limit. */
  public void capacityBytes(long bytes) {
    capacityBytes = bytes;
  }

  /** How long an operation takes; a few take much longer. At first 10 to 200 microseconds. */
  public void latency(long minNs, long maxNs) {
    Check.argument(minNs >= 0 && minNs <= maxNs, "latency from %d to %d ns", minNs, maxNs);
    minLatencyNs = minNs;
    maxLatencyNs = maxNs;
  }

  /** The file or device at {@code path}, whether it exists or not: its content and its faults. */
  public SimFile file(Path path) {
    return files.computeIfAbsent(path.normalize(), name -> new SimFile(this, name));
  }

  /** Puts a block device at {@code path}, all zeros. It cannot grow by itself: see {@link SimFile#resize}. */
  public SimFile device(Path path, long sizeBytes) {
    SimFile file = file(path);
    Check.argument(!file.exists(), "%s exists already", path);
    apply(new MediumEvent.Created(file.path(), nextId(), true));
    apply(new MediumEvent.Resized(file.path(), sizeBytes));
    return file;
  }

  /** The names of all files, in order. */
  public List<Path> paths() {
    return medium.paths();
  }

  /** The space that all files take, in bytes. */
  public long allocatedBytes() {
    return medium.allocatedBytes();
  }

  /** Records all that happens to the files from now on, for crashes at any point of it. */
  public Recording record() {
    Recording recording = new Recording(medium.fork());
    recordings.add(recording);
    return recording;
  }

  /** Ends {@code recording}; it stays usable. */
  public void stop(Recording recording) {
    recordings.remove(recording);
  }

  /** The files as they can be read now. */
  public SimImage image() {
    return new SimImage(medium.fork());
  }

  /** Puts the files of {@code image} in the place of all that is there. The machine must not run. */
  public void restore(SimImage image) {
    Check.argument(recordings.isEmpty(), "a disk that is recorded cannot be replaced");
    medium = image.fork();
    lastId = Math.max(lastId, medium.lastFileId());
  }

  Simulation simulation() {
    return simulation;
  }

  SplittableRandom random() {
    return random;
  }

  Medium medium() {
    return medium;
  }

  int blockSize() {
    return blockSize;
  }

  boolean canDeallocate() {
    return canDeallocate;
  }

  long nextId() {
    return ++lastId;
  }

  void apply(MediumEvent event) {
    medium.apply(event);
    for (int i = 0; i < recordings.size(); i++) {
      recordings.get(i).add(event);
    }
  }

  /** How long the next operation takes. */
  long latencyNs() {
    long latencyNs = minLatencyNs + random.nextLong(maxLatencyNs - minLatencyNs + 1);
    return random.nextInt(256) == 0 ? latencyNs * 20 : latencyNs;
  }

  /** Whether {@code moreBytes} fit on top of what is allocated. */
  boolean fits(long moreBytes) {
    return moreBytes <= 0 || capacityBytes == Long.MAX_VALUE || medium.allocatedBytes() + moreBytes <= capacityBytes;
  }

  void kill() {
    medium.cuts(random).forEach(this::apply);
  }

  void powerLoss(PowerLoss how, long seed) {
    apply(new MediumEvent.PowerLost(how, seed));
  }

  static RemoraException failure(Status status, Path path, @Nullable String detail) {
    return new RemoraException(status, path + ": " + status.text() + (detail == null ? "" : ", " + detail));
  }
}
