package io.remora.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The submission queue entry: 64 bytes, read and written in place at {@code base} of a segment (NVMe Base 2.0, 3.3.3.1).
 *
 * <pre>
 *  0 opcode | 1 flags: 7..6 PSDT, 1..0 fuse | 2:2 CID | 4:4 NSID (fabrics: 4 FCTYPE) | 8:16 | 24:16 SGL1 | 40..63 CDW10..15
 * </pre>
 */
public final class Sqe {
  /** Its size in bytes. */
  public static final int BYTES = 64;

  /** Flags of every fabrics command: PSDT 01, the data pointer is an SGL. */
  public static final int PSDT_SGL = 0x40;

  /** SGL type byte: data in the capsule, at an offset. */
  public static final int SGL_IN_CAPSULE = 0x01;

  /** SGL type byte: data moved by the transport (TCP: C2HData, R2T and H2CData). */
  public static final int SGL_TRANSPORT = 0x5A;

  /** SGL type byte: keyed data block (RDMA). */
  public static final int SGL_KEYED = 0x40;

  /** SGL type byte: keyed data block whose key the response invalidates (RDMA). */
  public static final int SGL_KEYED_INVALIDATE = 0x4F;

  static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LE64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Sqe() {}

  /** The opcode, 0..255. */
  public static int opcode(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base) & 0xff;
  }

  /** The flags byte: PSDT and fuse. */
  public static int flags(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 1) & 0xff;
  }

  /** The command identifier, 0..65535. */
  public static int cid(MemorySegment s, long base) {
    return s.get(LE16, base + 2) & 0xffff;
  }

  /** The namespace identifier, an unsigned 32-bit value. */
  public static int nsid(MemorySegment s, long base) {
    return s.get(LE32, base + 4);
  }

  /** The fabrics command type, for opcode 0x7F. */
  public static int fctype(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 4) & 0xff;
  }

  /** The type byte of SGL1. */
  public static int sglType(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 39) & 0xff;
  }

  /** The address or in-capsule offset of SGL1. */
  public static long sglAddress(MemorySegment s, long base) {
    return s.get(LE64, base + 24);
  }

  /** The length of an unkeyed SGL1 in bytes, 0..2^32-1. */
  public static long sglLength(MemorySegment s, long base) {
    return s.get(LE32, base + 32) & 0xffff_ffffL;
  }

  /** Whether SGL1 is a keyed data block, of whatever subtype. */
  public static boolean keyed(MemorySegment s, long base) {
    return (sglType(s, base) & 0xf0) == SGL_KEYED;
  }

  /** The length of a keyed SGL1 in bytes, 0..2^24-1. */
  public static long keyedLength(MemorySegment s, long base) {
    return s.get(LE32, base + 32) & 0xff_ffffL;
  }

  /** The key of a keyed SGL1. */
  public static int sglKey(MemorySegment s, long base) {
    return s.get(LE32, base + 35);
  }

  /** Command dword {@code n}, 2..15. */
  public static int dword(MemorySegment s, long base, int n) {
    return s.get(LE32, base + 4L * n);
  }

  /** Eight bytes from command dword {@code n} on. */
  public static long qword(MemorySegment s, long base, int n) {
    return s.get(LE64, base + 4L * n);
  }

  /** Zeroes the entry and sets opcode, PSDT, CID and NSID. */
  public static void begin(MemorySegment s, long base, int opcode, int cid, int nsid) {
    for (int i = 0; i < BYTES; i += 8) {
      s.set(LE64, base + i, 0);
    }
    s.set(JAVA_BYTE, base, (byte) opcode);
    s.set(JAVA_BYTE, base + 1, (byte) PSDT_SGL);
    s.set(LE16, base + 2, (short) cid);
    s.set(LE32, base + 4, nsid);
  }

  /** Sets an unkeyed SGL1. */
  public static void sgl(MemorySegment s, long base, int type, long address, long length) {
    s.set(LE64, base + 24, address);
    s.set(LE32, base + 32, (int) length);
    s.set(LE32, base + 36, type << 24);
  }

  /** Sets a keyed SGL1: {@code length} below 2^24 bytes at the host's {@code address}. */
  public static void keyedSgl(MemorySegment s, long base, int type, long address, int length, int key) {
    s.set(LE64, base + 24, address);
    s.set(LE32, base + 32, length);
    s.set(LE32, base + 35, key);
    s.set(JAVA_BYTE, base + 39, (byte) type);
  }

  /** Sets command dword {@code n}. */
  public static void dword(MemorySegment s, long base, int n, int value) {
    s.set(LE32, base + 4L * n, value);
  }

  /** Sets eight bytes from command dword {@code n} on. */
  public static void qword(MemorySegment s, long base, int n, long value) {
    s.set(LE64, base + 4L * n, value);
  }
}
