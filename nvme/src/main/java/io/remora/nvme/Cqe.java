package io.remora.nvme;

import static io.remora.nvme.Sqe.LE16;
import static io.remora.nvme.Sqe.LE64;

import java.lang.foreign.MemorySegment;

/**
 * The completion queue entry: 16 bytes, in place at {@code base} of a segment (NVMe Base 2.0, 3.3.3.2).
 *
 * <pre>
 *  0:8 result | 8:2 SQHD | 10:2 SQID (0 in fabrics) | 12:2 CID | 14:2 status, shifted left by one over the phase bit
 * </pre>
 */
public final class Cqe {
  /** Its size in bytes. */
  public static final int BYTES = 16;

  private Cqe() {}

  /** Writes the whole entry with SQID 0. {@code status} is one of {@link NvmeStatus}. */
  public static void write(MemorySegment s, long base, long result, int sqhd, int cid, int status) {
    write(s, base, result, sqhd, 0, cid, status);
  }

  /** Writes the whole entry. {@code sqid} means nothing in fabrics; Linux puts the queue's number there. */
  public static void write(MemorySegment s, long base, long result, int sqhd, int sqid, int cid, int status) {
    s.set(LE64, base, result);
    s.set(LE16, base + 8, (short) sqhd);
    s.set(LE16, base + 10, (short) sqid);
    s.set(LE16, base + 12, (short) cid);
    s.set(LE16, base + 14, (short) (status << 1));
  }

  /** The command's result, 8 bytes. */
  public static long result(MemorySegment s, long base) {
    return s.get(LE64, base);
  }

  /** How far the controller has consumed the submission queue, 0..65535. */
  public static int sqhd(MemorySegment s, long base) {
    return s.get(LE16, base + 8) & 0xffff;
  }

  /** The submission queue it names, 0..65535; nobody has to set it in fabrics. */
  public static int sqid(MemorySegment s, long base) {
    return s.get(LE16, base + 10) & 0xffff;
  }

  /** The command it answers, 0..65535. */
  public static int cid(MemorySegment s, long base) {
    return s.get(LE16, base + 12) & 0xffff;
  }

  /** The status as in {@link NvmeStatus}, without the phase bit. */
  public static int status(MemorySegment s, long base) {
    return (s.get(LE16, base + 14) & 0xffff) >>> 1;
  }
}
