package io.remora.verbs.tool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.verbs.tool.PerftestJob.Operation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What a client looks at in the data. It cannot know what a server's memory holds, but reads of one place bring the same each time, and atomics bring what the one before has left. Belongs to
 * its connection's loop.
 */
final class PerftestChecks {
  /** Before a read: so that what was not brought shows. */
  private static final byte POISON = (byte) 0xa5;
  private static final long POISON_WORD = 0xa5a5_a5a5_a5a5_a5a5L;
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

  private final PerftestJob job;
  private final PerftestSlots slots;
  private final MemorySegment memory;
  /** What reads have brought from each place. */
  private final @Nullable MemorySegment[] first;
  /** What atomics must bring from each place next, and what the one posted last leaves there. */
  private final long[] expected;
  private final long[] left;

  private PerftestChecks(PerftestJob job, PerftestSlots slots, MemorySegment memory) {
    this.job = job;
    this.slots = slots;
    this.memory = memory;
    this.first = new MemorySegment[slots.count()];
    this.expected = new long[slots.count()];
    this.left = new long[slots.count()];
  }

  /** Of a client that works with {@code memory}; what is to be sent or written is made there. */
  static PerftestChecks of(PerftestJob job, PerftestSlots slots, MemorySegment memory) {
    PerftestChecks checks = new PerftestChecks(job, slots, memory);
    if (!job.operation().brings()) {
      for (int slot = 0; slot < slots.count(); slot++) {
        for (int i = 0; i < job.bytes(); i++) {
          memory.set(JAVA_BYTE, slots.offset(slot) + i, (byte) (i * 7 + i / 251 + slot * 31 + 1));
        }
      }
    }
    return checks;
  }

  /** How many operations that change nothing go first, to learn what there is. */
  int probes() {
    return job.verified() && job.operation().isAtomic() ? slots.count() : 0;
  }

  void beforeRead(long sink) {
    if (job.verified()) {
      memory.asSlice(sink, job.bytes()).fill(POISON);
    }
  }

  /** What the next compare-and-swap of {@code slot} compares with; without verification what perftest does, which changes nothing. */
  long compare(int slot) {
    return job.verified() ? left[slot] : 0;
  }

  /** What it leaves. Once, after {@link #compare}. */
  long swap(int slot) {
    return job.verified() ? ++left[slot] : 0;
  }

  /** A probe has brought what there is. */
  void probed(int slot, long sink) {
    expected[slot] = memory.get(WORD, sink);
    left[slot] = expected[slot];
  }

  /** An operation has brought something: what is wrong with it, or null. */
  @Nullable
  String brought(int slot, long sink) {
    if (!job.verified()) {
      return null;
    }
    return job.operation() == Operation.READ ? read(slot, sink) : atomic(slot, memory.get(WORD, sink));
  }

  private @Nullable String atomic(int slot, long brought) {
    long due = expected[slot]++;
    return brought == due ? null : "place " + slot + " held " + brought + " instead of " + due;
  }

  private @Nullable String read(int slot, long sink) {
    int bytes = slots.bytes();
    MemorySegment before = first[slot];
    if (before == null) {
      first[slot] = MemorySegment.ofArray(memory.asSlice(sink, bytes).toArray(JAVA_BYTE));
      return bytes >= Long.BYTES && poisoned(sink + bytes - Long.BYTES)
          ? "the end of place " + slot + " did not come"
          : null;
    }
    long at = MemorySegment.mismatch(memory, sink, sink + bytes, before, 0, bytes);
    return at < 0 ? null : "byte " + at + " of place " + slot + " is another one than before";
  }

  private boolean poisoned(long at) {
    return memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at) == POISON_WORD;
  }
}
