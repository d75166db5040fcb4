package io.remora.block.pool;

import io.remora.base.Loop;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** A pool as an inspection finds it. Belongs to the inspection's loop while that runs; does not change afterwards. */
public final class FoundPool {
  /** A bound on what is listed; more is counted. */
  private static final int MAX_FINDINGS = 1000;

  /** A disk of the pool: {@code path} is empty when it is missing. */
  public record FoundDisk(int index, Optional<UUID> uuid, Optional<Path> path) {
    /** Whether none of the paths is this disk. */
    public boolean missing() {
      return path.isEmpty();
    }
  }

  private final Loop loop;
  private final Label label;
  private final List<FoundDisk> disks = new ArrayList<>();
  private final List<FoundRegion> regions = new ArrayList<>();
  private final List<FoundVolume> volumes = new ArrayList<>();
  private final List<Finding> findings = new ArrayList<>();
  private final Map<Finding.Severity, Integer> counts = new EnumMap<>(Finding.Severity.class);
  private boolean blind;
  private long clusters;
  private long mapped;
  private long lostClusters;
  private long badClusters;

  FoundPool(Loop loop, Label label) {
    this.loop = loop;
    this.label = label;
  }

  /** The name of it. */
  public String name() {
    return label.poolName();
  }

  /** Its identity. */
  public UUID uuid() {
    return label.poolUuid();
  }

  /** The unit in which volumes get space, in bytes. */
  public long clusterBytes() {
    return label.clusterBytes();
  }

  /** When it was made, in milliseconds since 1970. */
  public long createdMs() {
    return label.createdMs();
  }

  /** Its disks by index, as far as anybody says that they exist. */
  public List<FoundDisk> disks() {
    return Collections.unmodifiableList(disks);
  }

  /** Its volumes, in the order of their slots. */
  public List<FoundVolume> volumes() {
    return Collections.unmodifiableList(volumes);
  }

  /** What was noticed; at most a thousand, the worst are all counted by {@link #count}. */
  public List<Finding> findings() {
    return Collections.unmodifiableList(findings);
  }

  /** How many things of that severity were noticed. */
  public int count(Finding.Severity severity) {
    return counts.getOrDefault(severity, 0);
  }

  /** Whether parts of the pool are out of sight that may hold data of any volume. */
  public boolean blind() {
    return blind;
  }

  /** All space of the disks that are there, in bytes. */
  public long totalBytes() {
    return clusters * clusterBytes();
  }

  /** The space that volumes use, in bytes. */
  public long usedBytes() {
    return mapped * clusterBytes();
  }

  /** Space of which nobody knows what it holds, in bytes. */
  public long lostBytes() {
    return lostClusters * clusterBytes();
  }

  /** Space that the disks cannot write, in bytes. */
  public long badBytes() {
    return badClusters * clusterBytes();
  }

  @Override
  public String toString() {
    return "pool '" + name() + "' (" + uuid() + ")";
  }

  Loop loop() {
    return loop;
  }

  void add(FoundDisk disk) {
    disks.add(disk);
  }

  void add(FoundRegion region) {
    regions.add(region);
    clusters += region.shape().clusters();
  }

  void add(FoundVolume volume) {
    volumes.add(volume);
  }

  List<FoundRegion> regions() {
    return regions;
  }

  int nextBase() {
    return (int) clusters;
  }

  void note(Finding.Severity severity, Object where, String format, Object... arguments) {
    counts.merge(severity, 1, Integer::sum);
    if (findings.size() < MAX_FINDINGS) {
      findings.add(new Finding(severity, String.valueOf(where), format.formatted(arguments)));
    }
  }

  void beBlind() {
    blind = true;
  }

  void count(long mappedNow, long lostNow, long badNow) {
    mapped += mappedNow;
    lostClusters += lostNow;
    badClusters += badNow;
  }

  FoundRegion regionOf(int cluster) {
    int low = 0;
    int high = regions.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (regions.get(middle).base() <= cluster) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return regions.get(low);
  }
}
