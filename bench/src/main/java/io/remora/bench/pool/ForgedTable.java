package io.remora.bench.pool;

import io.remora.base.Crc32c;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Writes the cluster table of a pool's file as docs/format/pool.md describes it, as if a volume had been given clusters: so a pool with
 * a million of them is made in a second. The pool must be closed, of one region, and without data.
 */
final class ForgedTable {
  private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int PAGE = 4096;
  private static final int SECTOR = 512;
  private static final int ENTRIES = 31;
  private static final int REGION_AT = 1536;
  private static final long LABEL_B = 512 << 10;
  private static final int CHUNK = 1 << 20;

  private final FileChannel file;
  private final Crc32c crc = new Crc32c();
  private final MemorySegment label = Arena.ofAuto().allocate(PAGE, PAGE);
  private final MemorySegment chunk = Arena.ofAuto().allocate(CHUNK, PAGE);
  private final MemorySegment prefix = Arena.ofAuto().allocate(16, 8);

  private ForgedTable(FileChannel file) {
    this.file = file;
  }

  /**
   * Gives {@code count} clusters to volume {@code number}, whose clusters they are from {@code logical} on: every {@code step}th.
   *
   * @return how many bytes of table are in use now, in one copy
   */
  static long write(Path path, int number, long logical, int count, int step) throws IOException {
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return new ForgedTable(file).write(number, logical, count, step);
    }
  }

  private long write(int number, long logical, int count, int step) throws IOException {
    file.read(label.asByteBuffer(), 0);
    long offset = label.get(U64, REGION_AT);
    long length = label.get(U64, REGION_AT + 8);
    long tag = label.get(U64, REGION_AT + 24);
    long slotBytes = (long) label.get(U32, REGION_AT + 36) * PAGE;
    int tablePages = label.get(U32, REGION_AT + 40);
    long metaB = offset + length - slotBytes - (long) tablePages * PAGE;
    int pages = (int) Math.min(tablePages, ((long) count * step + 247) / 248);
    for (long at = 0; at < (long) pages * PAGE; at += CHUNK) {
      int bytes = (int) Math.min(CHUNK, (long) pages * PAGE - at);
      fill(at, bytes, number, logical, (long) count * step, step, tag);
      file.write(chunk.asSlice(0, bytes).asByteBuffer(), offset + slotBytes + at);
      file.write(chunk.asSlice(0, bytes).asByteBuffer(), metaB + slotBytes + at);
    }
    label.set(U32, REGION_AT + 48, pages);
    label.set(U64, 16, label.get(U64, 16) + 1);
    label.set(U32, 12, 0);
    label.set(U32, 12, crc.of(label, 0, PAGE));
    file.write(label.asByteBuffer(), 0);
    file.write(label.asByteBuffer(), LABEL_B);
    file.force(true);
    return (long) pages * PAGE;
  }

  private void fill(long tableOffset, int bytes, int number, long logical, long end, int step, long tag) {
    chunk.fill((byte) 0);
    for (int at = 0; at < bytes; at += SECTOR) {
      long sector = (tableOffset + at) / SECTOR;
      boolean any = false;
      for (int i = 0; i < ENTRIES; i++) {
        long cluster = sector * ENTRIES + i;
        if (cluster % step == 0 && cluster < end) {
          long entry = at + 16L + 16L * i;
          chunk.set(U32, entry, number);
          chunk.set(ValueLayout.JAVA_BYTE, entry + 4, (byte) 3);
          chunk.set(U32, entry + 8, (int) (logical + cluster));
          chunk.set(U32, entry + 12, 1);
          any = true;
        }
      }
      if (any) {
        chunk.set(U32, at, 'R' | 'M' << 8 | 'T' << 16 | 1 << 24);
        chunk.set(U64, at + 8, sector + 1);
        prefix.set(U64, 0, tag);
        prefix.set(U64, 8, sector);
        crc.reset();
        crc.update(prefix, 0, 16);
        crc.update(chunk, at, 4);
        crc.update(chunk, at + 8, SECTOR - 8);
        chunk.set(U32, at + 4, crc.value());
      }
    }
  }
}
