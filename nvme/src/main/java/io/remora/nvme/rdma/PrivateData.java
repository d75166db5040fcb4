package io.remora.nvme.rdma;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What the two ends say of a queue while they connect: the private data of the connection manager (NVMe RDMA Transport 1.0, 3.2), little-endian.
 *
 * <pre>
 * request  0:2 RECFMT 0 | 2:2 QID | 4:2 HRQSIZE | 6:2 HSQSIZE | 8:2 CNTLID | 10..31 reserved
 * accept   0:2 RECFMT 0 | 2:2 CRQSIZE | 4..31 reserved
 * reject   0:2 RECFMT 0 | 2:2 STS
 * </pre>
 */
final class PrivateData {
  /** The length of a request and of its acceptance, in bytes; fabrics may append zeros. */
  static final int BYTES = 32;
  /** The length of a rejection, in bytes. */
  static final int REJECT_BYTES = 4;
  /** The only format. */
  static final int FORMAT = 0;

  private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private PrivateData() {}

  /**
   * A host's request.
   *
   * @param format RECFMT
   * @param queueId QID: 0 for the admin queue
   * @param receives HRQSIZE: how many responses the host has receives for
   * @param lastEntry HSQSIZE: the entries of the submission queue less one
   * @param cntlid of I/O queues: the controller; 0 when it is not said
   */
  record Request(int format, int queueId, int receives, int lastEntry, int cntlid) {
    /** Reads one of at least {@link #BYTES}. */
    static Request parse(MemorySegment s) {
      return new Request(u16(s, 0), u16(s, 2), u16(s, 4), u16(s, 6), u16(s, 8));
    }

    /** As it travels. */
    MemorySegment encode() {
      MemorySegment s = Arena.ofAuto().allocate(BYTES, 8);
      s.set(LE16, 0, (short) format);
      s.set(LE16, 2, (short) queueId);
      s.set(LE16, 4, (short) receives);
      s.set(LE16, 6, (short) lastEntry);
      s.set(LE16, 8, (short) cntlid);
      return s;
    }
  }

  /**
   * A controller's acceptance.
   *
   * @param format RECFMT
   * @param receives CRQSIZE: how many commands the controller has receives for
   */
  record Accept(int format, int receives) {
    /** Reads one of at least {@link #BYTES}. */
    static Accept parse(MemorySegment s) {
      return new Accept(u16(s, 0), u16(s, 2));
    }

    /** As it travels. */
    MemorySegment encode() {
      MemorySegment s = Arena.ofAuto().allocate(BYTES, 8);
      s.set(LE16, 0, (short) format);
      s.set(LE16, 2, (short) receives);
      return s;
    }
  }

  /**
   * A controller's rejection.
   *
   * @param format RECFMT
   * @param status STS: see {@link RejectStatus}
   */
  record Reject(int format, int status) {
    /** Reads one of at least {@link #REJECT_BYTES}. */
    static Reject parse(MemorySegment s) {
      return new Reject(u16(s, 0), u16(s, 2));
    }

    /** As it travels. */
    MemorySegment encode() {
      MemorySegment s = Arena.ofAuto().allocate(REJECT_BYTES, 8);
      s.set(LE16, 0, (short) format);
      s.set(LE16, 2, (short) status);
      return s;
    }
  }

  private static int u16(MemorySegment s, long at) {
    return s.get(LE16, at) & 0xffff;
  }
}
