package io.remora.verbs.tool;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.remora.base.Status;
import io.remora.verbs.Context;
import io.remora.verbs.MemoryRegion;
import io.remora.verbs.WorkCompletions;
import io.remora.verbs.tool.PerftestJob.Operation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Memory for a client that writes, reads, adds or swaps in it; this end has nothing to do but to look afterwards what has become of it. Belongs to its context's loop.
 *
 * <p>What a client writes is random to this end. So a place counts as written when it is not as it was, if it is long enough for chance not to matter.
 */
final class PerftestMemory extends PerftestTarget {
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
  private static final int TELLING_BYTES = 16;
  /** What {@code ib_atomic_bw} compares with, and swaps for the same. */
  private static final long COMPARED = 0;

  private final PerftestJob job;
  private final PerftestSlots slots;
  private final MemoryRegion region;
  private final MemorySegment before;

  PerftestMemory(Context context, PerftestJob job, PerftestSlots slots, BiConsumer<Status, String> whenEnded) {
    super(context, 1, 1, whenEnded);
    this.job = job;
    this.slots = slots;
    this.region = allocate(slots.lengthBytes(), job.operation().access());
    MemorySegment memory = region.segment();
    for (long i = 0; i < memory.byteSize(); i++) {
      memory.set(JAVA_BYTE, i, (byte) (i * 13 + i / 241 + 5));
    }
    if (job.operation() == Operation.COMPARE_AND_SWAP) {
      for (int slot = 0; slot < slots.count(); slot++) {
        memory.set(WORD, slots.offset(slot), COMPARED);
      }
    }
    this.before = MemorySegment.ofArray(job.verified() ? memory.toArray(JAVA_BYTE) : new byte[0]);
  }

  @Override
  PerftestMessages.Memory offered() {
    return new PerftestMessages.Memory(region.address(), region.remoteKey(), context().attributes().maxReads(),
        number());
  }

  @Override
  void begin(PerftestMessages.Memory client, Runnable whenDone) {
    whenDone.run();
  }

  @Override
  void completed(WorkCompletions completions, int index) {
    end(Status.PROTOCOL_ERROR, "the client sends a message on the second connection");
  }

  @Override
  @Nullable
  String check(long iterations) {
    if (!job.verified()) {
      return null;
    }
    long end = 0;
    for (int slot = 0; slot < slots.count(); slot++) {
      long at = slots.offset(slot);
      long turns = slots.turns(slot, iterations);
      String wrong = slot(at, turns);
      if (wrong != null) {
        return "after " + turns + " turns place " + slot + wrong;
      }
      if (changed(end, at)) {
        return "there are changes before place " + slot;
      }
      end = at + job.bytes();
    }
    return changed(end, slots.lengthBytes()) ? "there are changes after the last place" : null;
  }

  /** What is wrong with a place after {@code turns}, or null. */
  private @Nullable String slot(long at, long turns) {
    boolean changes = changed(at, at + job.bytes());
    return switch (job.operation()) {
      case WRITE -> turns == 0
          ? changes ? " is changed" : null
          : !changes && job.bytes() >= TELLING_BYTES ? " is as it was" : null;
      case FETCH_AND_ADD -> {
        long added = region.segment().get(WORD, at) - before.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
        yield added == turns ? null : " is " + added + " more than it was";
      }
      // Perftest's leaves it as it is.
      case COMPARE_AND_SWAP -> turns == 0 && changes ? " is changed" : null;
      case SEND, READ -> changes ? " is changed" : null;
    };
  }

  private boolean changed(long from, long to) {
    return MemorySegment.mismatch(region.segment(), from, to, before, from, to) >= 0;
  }
}
