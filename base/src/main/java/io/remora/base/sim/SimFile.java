package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.IoRequest;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file or block device of a {@link SimDisk}, as a test sees it: its content, at once and past all latency, and its faults,
 * which outlive restarts. Belongs to the simulation's thread.
 */
public final class SimFile {
  private record Range(long offset, long length) {
    boolean overlaps(long otherOffset, long otherLength) {
      return offset < otherOffset + otherLength && otherOffset < offset + length;
    }
  }

  private final SimDisk disk;
  private final Path path;
  private final List<Range> badReads = new ArrayList<>();
  private final List<Range> badWrites = new ArrayList<>();
  private int blockSize;
  private long reads;
  private double errorRate;
  private boolean flushesFail;
  private boolean heldElsewhere;
  private boolean hangs;
  private int slowness = 1;
  private double stragglers;
  private long stragglerNs = 1;
  private long misdirection;
  private boolean losesWrite;
  private final List<Runnable> hung = new ArrayList<>();

  SimFile(SimDisk disk, Path path) {
    this.disk = disk;
    this.path = path;
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  /** Whether it exists. */
  public boolean exists() {
    return disk.medium().find(path) != null;
  }

  /** Its size in bytes. */
  public long sizeBytes() {
    return disk.medium().get(path).sizeBytes();
  }

  /** The space that it takes, in bytes: less than its size where it has holes. */
  public long allocatedBytes() {
    return disk.medium().get(path).visible().allocatedBytes();
  }

  /** How many reads have been done, by all who have had it open. */
  public long reads() {
    return reads;
  }

  /** How many completed writes no completed flush covers. */
  public int unflushedWrites() {
    return disk.medium().get(path).unflushedWrites();
  }

  /** What a read would give now, flushed or not. */
  public byte[] read(long offset, int length) {
    Check.argument(offset >= 0 && length >= 0 && offset + length <= sizeBytes(), "%s has no range %d+%d", path, offset,
        length);
    byte[] content = new byte[length];
    disk.medium().get(path).visible().read(offset, MemorySegment.ofArray(content));
    return content;
  }

  /** Changes its content durably, behind everybody's back. */
  public void write(long offset, byte[] content) {
    Check.argument(offset >= 0 && offset + content.length <= sizeBytes(), "%s has no range %d+%d", path, offset,
        content.length);
    disk.apply(new MediumEvent.Poked(path, offset, MemorySegment.ofArray(content.clone())));
  }

  /** Bit rot: turns bit {@code bit} (0 to 7) of the byte at {@code offset}. */
  public void flipBit(long offset, int bit) {
    byte[] content = read(offset, 1);
    content[0] ^= (byte) (1 << bit);
    write(offset, content);
  }

  /** Its block size when it is opened from now on, whatever that of the other disks is: 512 to 4096, a power of two. */
  public void blockSize(int bytes) {
    SimDisk.checkBlockSize(bytes);
    blockSize = bytes;
  }

  /** Gives it another size, as somebody who extends a disk does. */
  public void resize(long sizeBytes) {
    Check.argument(sizeBytes >= sizeBytes(), "%s cannot shrink", path);
    disk.apply(new MediumEvent.Resized(path, sizeBytes));
  }

  /** The next write goes to another place, {@code deltaBytes} off, a multiple of 512, and reports success. */
  public void misdirectNextWrite(long deltaBytes) {
    Check.argument(deltaBytes % MediumWrite.SECTOR_BYTES == 0, "%d is no multiple of 512", deltaBytes);
    misdirection = deltaBytes;
  }

  /** The next write goes nowhere, and reports success. */
  public void loseNextWrite() {
    losesWrite = true;
  }

  /** Reads that touch the range fail with MEDIUM_ERROR. */
  public void failReads(long offset, long length) {
    badReads.add(new Range(offset, length));
  }

  /** Writes, zeroes and deallocations that touch the range fail with MEDIUM_ERROR, after having done any part of their work. */
  public void failWrites(long offset, long length) {
    badWrites.add(new Range(offset, length));
  }

  /** Flushes fail with MEDIUM_ERROR and make nothing durable; so do later ones, until the file is opened again. */
  public void failFlushes(boolean fail) {
    flushesFail = fail;
  }

  /** Any operation fails with MEDIUM_ERROR, with this probability. */
  public void errorRate(double probability) {
    errorRate = probability;
  }

  /** Every operation takes {@code factor} times as long. */
  public void slow(int factor) {
    Check.argument(factor >= 1, "factor %d", factor);
    slowness = factor;
  }

  /** An operation takes up to {@code maxNs} longer, with this probability; those that come later overtake it. */
  public void straggle(double probability, long maxNs) {
    Check.argument(maxNs >= 1, "%d ns", maxNs);
    stragglers = probability;
    stragglerNs = maxNs;
  }

  /** Operations that are submitted from now on do not end; with {@code false}, those go on that have not. */
  public void hang(boolean on) {
    hangs = on;
    if (!on) {
      List<Runnable> goOn = List.copyOf(hung);
      hung.clear();
      goOn.forEach(Runnable::run);
    }
  }

  /** Another process has it open for writing: to open it so is BUSY. */
  public void holdElsewhere(boolean held) {
    heldElsewhere = held;
  }

  /** Ends all faults. */
  public void heal() {
    badReads.clear();
    badWrites.clear();
    errorRate = 0;
    flushesFail = false;
    slowness = 1;
    stragglers = 0;
    misdirection = 0;
    losesWrite = false;
    hang(false);
  }

  @Override
  public String toString() {
    MediumFile file = disk.medium().find(path);
    return path + ": " + (file == null ? "does not exist" : file);
  }

  int blockSize() {
    return blockSize == 0 ? disk.blockSize() : blockSize;
  }

  void countRead() {
    reads++;
  }

  boolean heldElsewhere() {
    return heldElsewhere;
  }

  /** Runs {@code operation} when the medium is done with it. */
  void after(Runnable operation) {
    if (hangs) {
      hung.add(() -> after(operation));
    } else {
      boolean straggles = stragglers > 0 && disk.random().nextDouble() < stragglers;
      long moreNs = straggles ? disk.random().nextLong(stragglerNs) : 0;
      disk.simulation().after(disk.latencyNs() * slowness + moreNs, new EventQueue.Event(operation));
    }
  }

  /** How the medium answers. */
  Status verdict(IoRequest.Op op, long offset, long length) {
    if (errorRate > 0 && disk.random().nextDouble() < errorRate) {
      return Status.MEDIUM_ERROR;
    }
    boolean bad = switch (op) {
      case READ, COMPARE -> touches(badReads, offset, length);
      case WRITE, WRITE_ZEROES, DEALLOCATE -> touches(badWrites, offset, length);
      case FLUSH -> flushesFail;
    };
    return bad ? Status.MEDIUM_ERROR : Status.OK;
  }

  /** Where a write to {@code offset} really goes. */
  long destination(long offset, long length) {
    long elsewhere = offset + misdirection;
    misdirection = 0;
    return elsewhere >= 0 && elsewhere + length <= sizeBytes() ? elsewhere : offset;
  }

  /** Whether the write that asks goes nowhere. */
  boolean losesWrite() {
    boolean loses = losesWrite;
    losesWrite = false;
    return loses;
  }

  private static boolean touches(List<Range> ranges, long offset, long length) {
    for (Range range : ranges) {
      if (range.overlaps(offset, length)) {
        return true;
      }
    }
    return false;
  }
}
