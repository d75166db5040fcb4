package io.remora.nvme.target;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What was done on one namespace from one loop. That loop counts; any thread may read, and sees each number as it was a moment ago.
 */
final class Counters {
  private static final VarHandle READS;
  private static final VarHandle READ_BYTES;
  private static final VarHandle WRITES;
  private static final VarHandle WRITE_BYTES;
  private static final VarHandle MEDIA_ERRORS;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      READS = lookup.findVarHandle(Counters.class, "reads", long.class);
      READ_BYTES = lookup.findVarHandle(Counters.class, "readBytes", long.class);
      WRITES = lookup.findVarHandle(Counters.class, "writes", long.class);
      WRITE_BYTES = lookup.findVarHandle(Counters.class, "writeBytes", long.class);
      MEDIA_ERRORS = lookup.findVarHandle(Counters.class, "mediaErrors", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private long reads;
  private long readBytes;
  private long writes;
  private long writeBytes;
  private long mediaErrors;

  void read(long bytes) {
    READS.setOpaque(this, reads + 1);
    READ_BYTES.setOpaque(this, readBytes + bytes);
  }

  void written(long bytes) {
    WRITES.setOpaque(this, writes + 1);
    WRITE_BYTES.setOpaque(this, writeBytes + bytes);
  }

  void mediaError() {
    MEDIA_ERRORS.setOpaque(this, mediaErrors + 1);
  }

  /** What stands here now, added to {@code sum}. */
  IoCounts plus(IoCounts sum) {
    return new IoCounts(sum.reads() + (long) READS.getOpaque(this), sum.readBytes() + (long) READ_BYTES.getOpaque(this),
        sum.writes() + (long) WRITES.getOpaque(this), sum.writeBytes() + (long) WRITE_BYTES.getOpaque(this),
        sum.mediaErrors() + (long) MEDIA_ERRORS.getOpaque(this));
  }
}
