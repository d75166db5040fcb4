package io.remora.block.pool;

import io.remora.base.Check;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.Status;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One disk of the pool on one loop, to which it belongs: the file that is open there, and the data I/O in flight on it. */
final class LaneDisk {
  final DiskFile file;
  /** Data I/O in flight, begun before and after the last turn of the epoch. */
  private final int[] inFlight = new int[2];
  private int epoch;
  private @Nullable Done drained;
  /** Changes of data that have completed. Only this loop adds; the pool's loop reads. */
  private final AtomicLong written = new AtomicLong();
  /** Requests that the disk has failed to do, and where the last of them was. Only this loop writes; the pool's loop reads. */
  private volatile long readErrors;
  private volatile long writeErrors;
  private volatile long lastErrorAt = -1;

  LaneDisk(DiskFile file) {
    this.file = file;
  }

  /** Data I/O begins; returns what {@link #endData} wants to know. */
  int beginData() {
    inFlight[epoch]++;
    return epoch;
  }

  void endData(int begunIn, boolean wrote) {
    if (wrote) {
      // Before anybody hears that the write has completed: a flush that he asks for then finds it counted.
      written.setRelease(written.getPlain() + 1);
    }
    Done waiting = drained;
    if (--inFlight[begunIn] == 0 && waiting != null && begunIn != epoch) {
      drained = null;
      waiting.done(Status.OK);
    }
  }

  /** The disk has failed to do {@code request}. */
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void failed(IoRequest request) {
    lastErrorAt = request.offset;
    if (request.op == IoRequest.Op.READ) {
      readErrors++;
    } else {
      writeErrors++;
    }
  }

  /** From any thread. */
  long readErrors() {
    return readErrors;
  }

  /** From any thread. */
  long writeErrors() {
    return writeErrors;
  }

  /** From any thread. */
  long lastErrorAt() {
    return lastErrorAt;
  }

  /** Calls {@code done} when all data I/O that is in flight now has ended, perhaps at once. One at a time. */
  void drain(Done done) {
    Check.that(drained == null && inFlight[epoch ^ 1] == 0, "drained twice at once");
    epoch ^= 1;
    if (inFlight[epoch ^ 1] == 0) {
      done.done(Status.OK);
    } else {
      drained = done;
    }
  }

  /** How many changes of data have completed here. From any thread. */
  long written() {
    return written.getAcquire();
  }

  /** Whether a range that ends at {@code end} is within the file, which another loop may have extended. */
  boolean reaches(long end) {
    return end <= file.sizeBytes() || end <= file.refreshSize();
  }
}
