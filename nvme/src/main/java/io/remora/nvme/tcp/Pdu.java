package io.remora.nvme.tcp;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The layout of NVMe/TCP PDUs, in place at {@code base} of a segment (NVMe/TCP 1.0, 3.6).
 *
 * <pre>
 *  0 type | 1 flags | 2 HLEN | 3 PDO | 4:4 PLEN | 8.. by type | [header digest] [pad to PDO] [data] [data digest]
 * </pre>
 */
public final class Pdu {
  public static final int IC_REQ = 0;
  public static final int IC_RESP = 1;
  public static final int H2C_TERM_REQ = 2;
  public static final int C2H_TERM_REQ = 3;
  public static final int CAPSULE_CMD = 4;
  public static final int CAPSULE_RESP = 5;
  public static final int H2C_DATA = 6;
  public static final int C2H_DATA = 7;
  public static final int R2T = 9;

  public static final int FLAG_HDGST = 0x01;
  public static final int FLAG_DDGST = 0x02;
  public static final int FLAG_LAST = 0x04;
  public static final int FLAG_SUCCESS = 0x08;

  /** Length of the common header. */
  public static final int COMMON_BYTES = 8;
  /** HLEN and PLEN of ICReq and ICResp. */
  public static final int IC_BYTES = 128;
  /** HLEN of a command capsule. */
  public static final int CAPSULE_CMD_BYTES = 72;
  /** HLEN of CapsuleResp, R2T, H2CData, C2HData and TermReq. */
  public static final int SHORT_BYTES = 24;
  /** The longest TermReq: 24 and 128 bytes of the PDU at fault. */
  public static final int TERM_REQ_MAX_BYTES = 152;
  /** The longest header of any PDU. */
  public static final int HEADER_MAX_BYTES = IC_BYTES;
  /** A header or data digest. */
  public static final int DIGEST_BYTES = 4;

  /** Fatal error status of a TermReq: a header field is wrong; FEI is its byte offset. */
  public static final int FES_INVALID_FIELD = 1;
  /** A PDU at a time when it may not come. */
  public static final int FES_SEQUENCE = 2;
  /** FEI is the header digest received. */
  public static final int FES_HEADER_DIGEST = 3;
  /** Data outside of the range asked for. */
  public static final int FES_OUT_OF_RANGE = 4;
  /** More R2Ts or data than agreed. */
  public static final int FES_LIMIT_EXCEEDED = 5;
  /** A parameter that is not supported. */
  public static final int FES_UNSUPPORTED = 6;

  public static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  public static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Pdu() {}

  /** Writes the common header. */
  public static void common(MemorySegment s, long base, int type, int flags, int hlen, int pdo, long plen) {
    s.set(JAVA_BYTE, base, (byte) type);
    s.set(JAVA_BYTE, base + 1, (byte) flags);
    s.set(JAVA_BYTE, base + 2, (byte) hlen);
    s.set(JAVA_BYTE, base + 3, (byte) pdo);
    s.set(LE32, base + 4, (int) plen);
  }

  /** The PDU's type. */
  public static int type(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base) & 0xff;
  }

  /** Its flags. */
  public static int flags(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 1) & 0xff;
  }

  /** The length of its header without digest. */
  public static int hlen(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 2) & 0xff;
  }

  /** Where its data begins, from the PDU's start; 0 when it has none. */
  public static int pdo(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 3) & 0xff;
  }

  /** Its whole length with digests and padding, 0..2^32-1. */
  public static long plen(MemorySegment s, long base) {
    return s.get(LE32, base + 4) & 0xffff_ffffL;
  }

  /** The command of R2T, H2CData and C2HData. */
  public static int cccid(MemorySegment s, long base) {
    return s.get(LE16, base + 8) & 0xffff;
  }

  /** The transfer tag of R2T and H2CData. */
  public static int ttag(MemorySegment s, long base) {
    return s.get(LE16, base + 10) & 0xffff;
  }

  /** The offset of R2T, H2CData and C2HData in the command's data. */
  public static long dataOffset(MemorySegment s, long base) {
    return s.get(LE32, base + 12) & 0xffff_ffffL;
  }

  /** The length of R2T, H2CData and C2HData. */
  public static long dataLength(MemorySegment s, long base) {
    return s.get(LE32, base + 16) & 0xffff_ffffL;
  }

  /** Writes what follows the common header in R2T, H2CData and C2HData (there the tag is 0). */
  public static void transfer(MemorySegment s, long base, int cccid, int ttag, long offset, long length) {
    s.set(LE16, base + 8, (short) cccid);
    s.set(LE16, base + 10, (short) ttag);
    s.set(LE32, base + 12, (int) offset);
    s.set(LE32, base + 16, (int) length);
    s.set(LE32, base + 20, 0);
  }

  /**
   * Writes a whole ICReq or ICResp, {@link #IC_BYTES} long.
   *
   * @param alignment of data in PDUs to the sender: a count of 4-byte words less one, 0..31
   * @param digests {@link #FLAG_HDGST} and {@link #FLAG_DDGST}
   * @param limit of ICReq: R2Ts outstanding per command, less one; of ICResp: the bytes one H2CData may carry
   */
  public static void initialize(MemorySegment s, long base, int type, int alignment, int digests, long limit) {
    s.asSlice(base, IC_BYTES).fill((byte) 0);
    common(s, base, type, 0, IC_BYTES, 0, IC_BYTES);
    s.set(JAVA_BYTE, base + 10, (byte) alignment);
    s.set(JAVA_BYTE, base + 11, (byte) digests);
    s.set(LE32, base + 12, (int) limit);
  }

  /** The PDU format version of ICReq and ICResp; 0 is the only one. */
  public static int formatVersion(MemorySegment s, long base) {
    return s.get(LE16, base + 8) & 0xffff;
  }

  /** HPDA of ICReq, CPDA of ICResp: 4-byte words less one, 0..255 (31 is the most that is allowed). */
  public static int alignment(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 10) & 0xff;
  }

  /** The digests that an ICReq asks for, or that an ICResp agrees to. */
  public static int digests(MemorySegment s, long base) {
    return s.get(JAVA_BYTE, base + 11) & 0xff;
  }

  /** MAXR2T (less one) of ICReq, MAXH2CDATA in bytes of ICResp. */
  public static long limit(MemorySegment s, long base) {
    return s.get(LE32, base + 12) & 0xffff_ffffL;
  }

  /** The length that the header of a PDU of {@code type} must have, without digest; 0 for a type that there is not. */
  public static int headerBytes(int type) {
    return switch (type) {
      case IC_REQ, IC_RESP -> IC_BYTES;
      case CAPSULE_CMD -> CAPSULE_CMD_BYTES;
      case H2C_TERM_REQ, C2H_TERM_REQ, CAPSULE_RESP, H2C_DATA, C2H_DATA, R2T -> SHORT_BYTES;
      default -> 0;
    };
  }

  /** Whether a PDU of {@code type} is there to carry data: H2CData and C2HData. */
  public static boolean hasPayload(int type) {
    return type == H2C_DATA || type == C2H_DATA;
  }

  /** Writes a TermReq about the PDU whose first {@code length} bytes (cut to 128) stand at {@code bad}; returns its length. */
  public static int termReq(MemorySegment s, long base, int type, int fes, long fei, MemorySegment bad, long badBase,
      int length) {
    int copied = Math.min(length, TERM_REQ_MAX_BYTES - SHORT_BYTES);
    common(s, base, type, 0, SHORT_BYTES, 0, SHORT_BYTES + copied);
    s.set(LE16, base + 8, (short) fes);
    s.set(LE32, base + 10, (int) fei);
    s.asSlice(base + 14, SHORT_BYTES - 14).fill((byte) 0);
    MemorySegment.copy(bad, badBase, s, base + SHORT_BYTES, copied);
    return SHORT_BYTES + copied;
  }

  /** The fatal error status of a TermReq. */
  public static int fes(MemorySegment s, long base) {
    return s.get(LE16, base + 8) & 0xffff;
  }

  /** The fatal error information of a TermReq. */
  public static long fei(MemorySegment s, long base) {
    return s.get(LE32, base + 10) & 0xffff_ffffL;
  }

  /** The name of a type, for messages. */
  public static String name(int type) {
    return switch (type) {
      case IC_REQ -> "ICReq";
      case IC_RESP -> "ICResp";
      case H2C_TERM_REQ -> "H2CTermReq";
      case C2H_TERM_REQ -> "C2HTermReq";
      case CAPSULE_CMD -> "CapsuleCmd";
      case CAPSULE_RESP -> "CapsuleResp";
      case H2C_DATA -> "H2CData";
      case C2H_DATA -> "C2HData";
      case R2T -> "R2T";
      default -> "PDU type " + type;
    };
  }
}
