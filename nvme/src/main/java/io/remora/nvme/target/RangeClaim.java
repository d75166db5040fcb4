package io.remora.nvme.target;

import io.remora.base.Loop;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The wish of one command to have a range of a namespace for itself: no write in it from any connection on any loop from the grant to
 * {@link WriteGate#release}. Immutable but for the count of what it waits for; from any thread.
 */
final class RangeClaim {
  private final long offset;
  private final long length;
  private final Loop loop;
  private final Runnable granted;
  private final AtomicInteger waitsFor = new AtomicInteger(1);

  /** For {@code length} bytes from {@code offset} on; {@code granted} runs on {@code loop}. */
  RangeClaim(long offset, long length, Loop loop, Runnable granted) {
    this.offset = offset;
    this.length = length;
    this.loop = loop;
    this.granted = granted;
  }

  /** For a whole namespace, however large it becomes. */
  static RangeClaim ofAll(Loop loop, Runnable granted) {
    return new RangeClaim(0, Long.MAX_VALUE, loop, granted);
  }

  boolean overlaps(long from, long bytes) {
    return from < offset + length && offset < from + bytes;
  }

  /** It waits for one more thing: a loop to look at its commands, a write to end. */
  void waitForOneMore() {
    waitsFor.incrementAndGet();
  }

  /** One of the things has happened. */
  void oneLess() {
    if (waitsFor.decrementAndGet() == 0) {
      loop.execute(granted);
    }
  }
}
