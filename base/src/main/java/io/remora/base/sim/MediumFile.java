package io.remora.base.sim;

import io.remora.base.sim.PowerLoss.Survivor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One file of a {@link Medium}: what can be read, what is durable, and the writes between the two.
 *
 * <p>Invariant: durable content plus all unflushed writes in their order, plus what has landed of those in flight, is what can
 * be read.
 */
final class MediumFile {
  private static final class Pending {
    final MediumWrite write;
    /** What of it is not durable and was not overwritten durably. */
    final BitSet sectors;
    final long completion;

    Pending(MediumWrite write, BitSet sectors, long completion) {
      this.write = write;
      this.sectors = sectors;
      this.completion = completion;
    }

    Pending copy() {
      return new Pending(write, (BitSet) sectors.clone(), completion);
    }
  }

  final long fileId;
  final boolean device;
  private long sizeBytes;
  private SparseBytes visible;
  private SparseBytes durable;
  private long completions;
  private final List<Pending> unflushed = new ArrayList<>();
  private final List<Pending> inFlight = new ArrayList<>();

  MediumFile(long fileId, boolean device) {
    this.fileId = fileId;
    this.device = device;
    this.visible = new SparseBytes();
    this.durable = new SparseBytes();
  }

  private MediumFile(MediumFile other) {
    this.fileId = other.fileId;
    this.device = other.device;
    this.sizeBytes = other.sizeBytes;
    this.visible = other.visible.fork();
    this.durable = other.durable.fork();
    this.completions = other.completions;
    other.unflushed.forEach(pending -> unflushed.add(pending.copy()));
    other.inFlight.forEach(pending -> inFlight.add(pending.copy()));
  }

  MediumFile fork() {
    return new MediumFile(this);
  }

  SparseBytes visible() {
    return visible;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  void resize(long newSizeBytes) {
    sizeBytes = newSizeBytes;
  }

  /** How many writes have completed in its life: what a flush submitted now covers. */
  long completions() {
    return completions;
  }

  int unflushedWrites() {
    return unflushed.size();
  }

  boolean inFlight(MediumWrite write) {
    return inFlight.stream().anyMatch(pending -> pending.write.id() == write.id());
  }

  List<MediumWrite> writesInFlight() {
    return inFlight.stream().map(pending -> pending.write).toList();
  }

  void submitted(MediumWrite write) {
    inFlight.add(new Pending(write, sectors(write), 0));
  }

  void landed(MediumWrite write, BitSet sectors) {
    write.apply(visible, sectors);
  }

  void completed(MediumWrite write) {
    take(write);
    completions++;
    write.apply(visible);
    if (write.fua()) {
      write.apply(durable);
      unflushed.forEach(pending -> pending.write.removeOverlap(pending.sectors, write));
      unflushed.removeIf(pending -> pending.sectors.isEmpty());
    } else {
      unflushed.add(new Pending(write, sectors(write), completions));
    }
  }

  void cut(MediumWrite write, BitSet sectors) {
    take(write);
    completions++;
    write.apply(visible, sectors);
    unflushed.add(new Pending(write, (BitSet) sectors.clone(), completions));
  }

  void flushed(long coveredCompletions) {
    boolean all = inFlight.isEmpty() && (unflushed.isEmpty() || unflushed.getLast().completion <= coveredCompletions);
    if (all) {
      durable = visible.fork();
      unflushed.clear();
      return;
    }
    for (Pending pending : unflushed) {
      if (pending.completion <= coveredCompletions) {
        pending.write.apply(durable, pending.sectors);
      }
    }
    unflushed.removeIf(pending -> pending.completion <= coveredCompletions);
  }

  void poked(long offset, MemorySegment content) {
    visible.write(offset, content);
    durable.write(offset, content);
  }

  void powerLost(PowerLoss how, SplittableRandom random) {
    for (Survivor survivor : how.survivors(survivors(unflushed), survivors(inFlight), random)) {
      survivor.write().apply(durable, survivor.sectors());
    }
    visible = durable.fork();
    unflushed.clear();
    inFlight.clear();
  }

  static BitSet sectors(MediumWrite write) {
    BitSet sectors = new BitSet();
    sectors.set(0, write.sectors());
    return sectors;
  }

  private static List<Survivor> survivors(List<Pending> writes) {
    return writes.stream().map(pending -> new Survivor(pending.write, pending.sectors)).toList();
  }

  private void take(MediumWrite write) {
    for (int i = 0; i < inFlight.size(); i++) {
      if (inFlight.get(i).write.id() == write.id()) {
        inFlight.remove(i);
        return;
      }
    }
    throw new AssertionError("not in flight: " + write);
  }

  @Override
  public String toString() {
    return (device ? "device" : "file") + " of " + sizeBytes + " bytes, " + unflushed.size() + " writes unflushed, "
        + inFlight.size() + " in flight";
  }
}
