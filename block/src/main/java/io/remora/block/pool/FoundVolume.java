package io.remora.block.pool;

import io.remora.block.BlockDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A volume as an inspection finds it. Belongs to the inspection's loop while that runs; does not change afterwards. */
public final class FoundVolume {
  /** Bytes {@code offsetBytes} to {@code offsetBytes + lengthBytes} of the volume. */
  public record Range(long offsetBytes, long lengthBytes) {}

  private final FoundPool pool;
  private final VolumeRecord record;
  private final ClusterList clusters = new ClusterList();

  FoundVolume(FoundPool pool, VolumeRecord record) {
    this.pool = pool;
    this.record = record;
  }

  /** The name of it. */
  public String name() {
    return record.name();
  }

  /** Its identity. */
  public UUID uuid() {
    return record.uuid();
  }

  /** Its size in bytes. */
  public long sizeBytes() {
    return record.sizeBytes();
  }

  /** Its unit of I/O in bytes. */
  public int blockSize() {
    return record.blockSize();
  }

  /** Whether it takes space as it is written. */
  public boolean thin() {
    return record.thin();
  }

  /** When it was made, in milliseconds since 1970. */
  public long createdMs() {
    return record.createdMs();
  }

  /** Small texts that were stored with it. */
  public Map<String, String> properties() {
    return record.properties();
  }

  /** The pool that it is in. */
  public FoundPool pool() {
    return pool;
  }

  /** The space that was found to be its own, in bytes. */
  public long usedBytes() {
    return clusters.count() * pool.clusterBytes();
  }

  /** Whether data of it may be missing: clusters of the pool are out of sight, and it is not known whose they were. */
  public boolean incomplete() {
    return pool.blind() && clusters.count() < clusterCount();
  }

  /** What was found of it, in order; everything else reads as zeros, or is missing when it is {@link #incomplete}. */
  public List<Range> data() {
    List<Range> ranges = new ArrayList<>();
    long from = 0;
    long to = 0;
    for (int i = 0; i < clusters.count(); i++) {
      long logical = clusters.logical(i);
      if (logical != to) {
        addRange(ranges, from, to);
        from = logical;
      }
      to = logical + 1;
    }
    addRange(ranges, from, to);
    return ranges;
  }

  /** Ranges that nothing was found of, in order, when it is {@link #incomplete}: they may have been zeros, or data. */
  public List<Range> missing() {
    List<Range> ranges = new ArrayList<>();
    if (incomplete()) {
      long from = 0;
      for (int i = 0; i < clusters.count(); i++) {
        addRange(ranges, from, clusters.logical(i));
        from = clusters.logical(i) + 1;
      }
      addRange(ranges, from, clusterCount());
    }
    return ranges;
  }

  private void addRange(List<Range> ranges, long from, long to) {
    if (from < to) {
      long offset = from * pool.clusterBytes();
      ranges.add(new Range(offset, Math.min(to * pool.clusterBytes(), sizeBytes()) - offset));
    }
  }

  /** The volume's content to read, on the loop of the inspection, until that is closed. What was not found reads as zeros. */
  public BlockDevice device() {
    return new FoundDevice(this);
  }

  @Override
  public String toString() {
    return name() + " (" + uuid() + ")";
  }

  VolumeRecord record() {
    return record;
  }

  ClusterList clusters() {
    return clusters;
  }

  long clusterCount() {
    return (sizeBytes() + pool.clusterBytes() - 1) / pool.clusterBytes();
  }
}
