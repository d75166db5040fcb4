package io.remora.verbs.ibverbs;

import io.remora.base.Check;
import io.remora.verbs.QueuePairType;
import java.lang.foreign.Arena;

/** Finds out how long inline data may be, which no attribute tells, and whether the structures are laid out as this code believes. */
final class InlineProbe {
  private static final int[] SIZES = {512, 400, 256, 128, 96, 80, 64, 48, 32, 16};

  private final VerbsLibrary verbs;
  private final long context;

  InlineProbe(VerbsLibrary verbs, long context) {
    this.verbs = verbs;
    this.context = context;
  }

  /** The longest of a few sizes that the device takes, in bytes; 0 for none. */
  int largest(String name) {
    long domain = NativeErrors.check(verbs.allocPd.call(context), "ibverbs: " + name + ": protection domain");
    long queue = verbs.createCq.call(context, 4, 0, 0, 0);
    try {
      NativeErrors.check(queue, "ibverbs: " + name + ": completion queue");
      Check.that(Memory.getLong(domain) == context && Memory.getLong(queue + CompletionQueueLayout.CONTEXT) == context
          && Memory.getInt(queue + CompletionQueueLayout.ENTRIES) >= 4,
          "ibverbs: libibverbs lays its structures out otherwise than expected; this build cannot work with it");
      for (int size : SIZES) {
        if (takes(domain, queue, size)) {
          return size;
        }
      }
      return 0;
    } finally {
      if (queue > 0) {
        verbs.destroyCq.call(queue);
      }
      verbs.deallocPd.call(domain);
    }
  }

  private boolean takes(long domain, long queue, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      long wanted = arena.allocate(QueuePairInitLayout.BYTES, 8).address();
      Memory.putLong(wanted + QueuePairInitLayout.SEND_CQ, queue);
      Memory.putLong(wanted + QueuePairInitLayout.RECEIVE_CQ, queue);
      Memory.putInt(wanted + QueuePairInitLayout.MAX_SENDS, 1);
      Memory.putInt(wanted + QueuePairInitLayout.MAX_RECEIVES, 1);
      Memory.putInt(wanted + QueuePairInitLayout.MAX_SEND_PIECES, 1);
      Memory.putInt(wanted + QueuePairInitLayout.MAX_RECEIVE_PIECES, 1);
      Memory.putInt(wanted + QueuePairInitLayout.MAX_INLINE, bytes);
      Memory.putInt(wanted + QueuePairInitLayout.TYPE, QueuePairType.RC.code());
      long queuePair = verbs.createQp.call(domain, wanted);
      if (queuePair < 0) {
        return false;
      }
      int number = Memory.getInt(queuePair + QueuePairLayout.NUMBER);
      boolean sane = Memory.getLong(queuePair + QueuePairLayout.CONTEXT) == context && number >>> 24 == 0;
      int granted = Memory.getInt(wanted + QueuePairInitLayout.MAX_INLINE);
      verbs.destroyQp.call(queuePair);
      Check.that(sane,
          "ibverbs: libibverbs lays its structures out otherwise than expected; this build cannot work with it");
      return granted >= bytes;
    }
  }
}
