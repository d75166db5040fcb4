package io.remora.nvme.target;

import static io.remora.nvme.target.Layouts.LE16;
import static io.remora.nvme.target.Layouts.LE32;
import static io.remora.nvme.target.Layouts.LE64;

import java.lang.foreign.MemorySegment;

/** The last errors of a controller, newest first (NVMe Base 2.0, 5.16.1.2); belongs to the controller's loop. */
final class ErrorLog {
  /** How many it keeps. */
  static final int ENTRIES = 64;
  static final int ENTRY_BYTES = 64;

  private record Entry(long number, int queueId, int cid, int status, long lba, int nsid) {}

  private final Entry[] ring = new Entry[ENTRIES];
  private long count;

  void add(int queueId, int cid, int status, long lba, int nsid) {
    ring[(int) (count % ENTRIES)] = new Entry(count + 1, queueId, cid, status, lba, nsid);
    count++;
  }

  long count() {
    return count;
  }

  /** The whole page. */
  MemorySegment page() {
    MemorySegment page = MemorySegment.ofArray(new byte[ENTRIES * ENTRY_BYTES]);
    for (int i = 0; i < Math.min(count, ENTRIES); i++) {
      Entry entry = ring[(int) ((count - 1 - i) % ENTRIES)];
      long at = (long) i * ENTRY_BYTES;
      page.set(LE64, at, entry.number);
      page.set(LE16, at + 8, (short) entry.queueId);
      page.set(LE16, at + 10, (short) entry.cid);
      page.set(LE16, at + 12, (short) (entry.status << 1));
      page.set(LE16, at + 14, (short) 0xffff);
      page.set(LE64, at + 16, entry.lba);
      page.set(LE32, at + 24, entry.nsid);
    }
    return page;
  }
}
