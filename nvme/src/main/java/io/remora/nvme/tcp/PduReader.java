package io.remora.nvme.tcp;

import io.remora.base.Crc32c;
import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the bytes of a stream into PDUs, for either end, checks headers and digests, and brings data to where it belongs.
 * Belongs to its connection's loop.
 *
 * <p>One staging buffer is filled by one read; PDUs are looked at in it, in place. The payload of a data PDU is copied from there into
 * the command's memory, and what is still in the socket, when it is much, is read straight into it.
 *
 * <p>What reaches the handler has a type that this end may receive, at a time when it may, with the length of header, digest flags, data
 * offset and PDU length that the type demands, and a header digest that holds.
 */
public final class PduReader {
  /** Which end reads. */
  public enum Role {
    /** Receives ICReq, CapsuleCmd, H2CData, H2CTermReq. */
    TARGET,
    /** Receives ICResp, CapsuleResp, C2HData, R2T, C2HTermReq. */
    HOST
  }

  /** Takes PDUs, inside {@link #advance}. Any method may call {@link #stop}. */
  public interface Handler {
    /**
     * A PDU other than H2CData and C2HData, whole at {@code base} of {@code s} until this returns.
     *
     * @param data where its data begins in {@code s}: the in-capsule data of a CapsuleCmd
     * @param dataLength the length of its data in bytes, 0 for none
     * @param digestOk whether the data digest, if there is one, holds
     * @return false when it cannot be taken now: it is delivered again at the next {@link #advance}
     */
    boolean onPdu(MemorySegment s, long base, long data, int dataLength, boolean digestOk);

    /**
     * The header of an H2CData or C2HData, at {@code base} of {@code s}.
     *
     * @return the memory of the command's whole data, in which the payload goes to {@link Pdu#dataOffset} and has room; null
     *     when the PDU is wrong, after {@link #stop}
     */
    @Nullable
    Sgl onData(MemorySegment s, long base);

    /** The payload of the last {@link #onData} is in its place; {@code digestOk} as above. */
    void onDataEnd(boolean digestOk);

    /**
     * The peer has broken the protocol; the reader has stopped.
     *
     * @param fes the fatal error status for a TermReq
     * @param fei the fatal error information that belongs to it
     * @param length how much of the PDU's header has arrived at {@code base} of {@code s}, in bytes
     */
    void onBad(int fes, long fei, MemorySegment s, long base, int length);
  }

  /** How {@link #advance} ended. */
  public enum Progress {
    /** Everything in the socket has been taken: wait for it to become readable. */
    DRAINED,
    /** The budget is used up: call again in a later turn. */
    MORE,
    /** The handler could not take a PDU: call again when it can. */
    STALLED,
    /** The stream has ended or failed: {@link StreamSocket#closeReason}. */
    CLOSED,
    /** {@link #stop} was called. */
    STOPPED
  }

  /** What is missing of a payload is read straight to its place from this length on, in bytes. */
  private static final int DIRECT_MIN_BYTES = 8 << 10;
  /** After such a payload another one is likely: no more than this is read into the staging buffer, in bytes. */
  private static final int AHEAD_BYTES = 4 << 10;

  private final Role role;
  private final MemorySegment staging;
  private final int capacity;
  private final int maxCapsuleData;
  private final Handler handler;
  private int start;
  private int end;
  private int readLimit;
  private boolean initialized;
  private boolean headerDigest;
  private boolean dataDigest;
  private boolean stopped;
  private @Nullable Crc32c crc;

  private @Nullable Sgl sink;
  private long sinkPosition;
  private long sinkLeft;
  /** The checksum of the payload so far; null when it carries no digest. */
  private @Nullable Crc32c dataCrc;

  /**
   * A reader that expects ICReq or ICResp.
   *
   * @param staging its buffer, native; must hold the longest capsule
   * @param maxCapsuleData the most in-capsule data that a command may carry, in bytes
   */
  public PduReader(Role role, MemorySegment staging, int maxCapsuleData, Handler handler) {
    this.role = role;
    this.staging = staging;
    this.capacity = Math.toIntExact(staging.byteSize());
    this.maxCapsuleData = maxCapsuleData;
    this.handler = handler;
    this.readLimit = capacity;
    if (capacity < 256 + maxCapsuleData) {
      throw new IllegalArgumentException("staging of " + capacity + " bytes for capsules of " + maxCapsuleData);
    }
  }

  /** Sets which digests the PDUs after ICReq and ICResp carry. */
  public void digests(boolean header, boolean data) {
    headerDigest = header;
    dataDigest = data;
    crc = header || data ? new Crc32c() : null;
  }

  /** Ends reading: nothing is delivered any more. */
  public void stop() {
    stopped = true;
    sink = null;
  }

  /** Reads from {@code socket} and delivers what arrives, up to about {@code budgetBytes}. */
  public Progress advance(StreamSocket socket, long budgetBytes) {
    long budget = budgetBytes;
    while (true) {
      if (!deliver()) {
        return stopped ? Progress.STOPPED : Progress.STALLED;
      }
      if (budget <= 0) {
        return Progress.MORE;
      }
      long count = sink != null && sinkLeft >= DIRECT_MIN_BYTES ? readDirect(socket, sink) : readStaging(socket);
      if (count <= 0) {
        return count == 0 ? Progress.DRAINED : Progress.CLOSED;
      }
      budget -= count;
    }
  }

  private long readStaging(StreamSocket socket) {
    if (start > 0) {
      MemorySegment.copy(staging, start, staging, 0, end - start);
      end -= start;
      start = 0;
    }
    long count = socket.read(staging, end, Math.min(capacity - end, readLimit));
    if (count > 0) {
      end += (int) count;
      readLimit = capacity;
    }
    return count;
  }

  /** Reads into the piece of {@code into} that comes next; the staging buffer is empty. */
  private long readDirect(StreamSocket socket, Sgl into) {
    long skip = sinkPosition;
    int piece = 0;
    while (skip >= into.length(piece)) {
      skip -= into.length(piece);
      piece++;
    }
    MemorySegment segment = into.segment(piece);
    long offset = into.offset(piece) + skip;
    long count = socket.read(segment, offset, Math.min(sinkLeft, into.length(piece) - skip));
    if (count > 0) {
      if (dataCrc != null) {
        dataCrc.update(segment, offset, count);
      }
      sinkPosition += count;
      sinkLeft -= count;
      readLimit = AHEAD_BYTES;
    }
    return count;
  }

  /** Delivers what is in the staging buffer; false when the handler does not go on. */
  private boolean deliver() {
    while (!stopped) {
      if (sink != null) {
        if (!deliverData(sink)) {
          return true;
        }
      } else if (end - start < Pdu.COMMON_BYTES) {
        return true;
      } else {
        switch (deliverPdu()) {
          case DELIVERED -> {
          }
          case INCOMPLETE -> {
            return true;
          }
          case REFUSED -> {
            return false;
          }
        }
      }
    }
    return false;
  }

  private enum Delivery {
    DELIVERED, INCOMPLETE, REFUSED
  }

  private Delivery deliverPdu() {
    int base = start;
    int type = Pdu.type(staging, base);
    if (!commonOk(base, type)) {
      return Delivery.REFUSED;
    }
    int hlen = Pdu.hlen(staging, base);
    boolean digests = hasDigests(type);
    int headerBytes = hlen + (digests && headerDigest ? Pdu.DIGEST_BYTES : 0);
    if (end - base < headerBytes) {
      return Delivery.INCOMPLETE;
    }
    if (digests && headerDigest && !headerDigestOk(base, hlen)) {
      return Delivery.REFUSED;
    }
    return Pdu.hasPayload(type) ? beginData(base, headerBytes) : deliverWhole(base, type, headerBytes);
  }

  private Delivery deliverWhole(int base, int type, int headerBytes) {
    int plen = (int) Pdu.plen(staging, base);
    if (end - base < plen) {
      return Delivery.INCOMPLETE;
    }
    int data = base + headerBytes;
    int dataLength = 0;
    boolean digestOk = true;
    if (type == Pdu.CAPSULE_CMD && plen > headerBytes) {
      data = base + Pdu.pdo(staging, base);
      dataLength = base + plen - data - (dataDigest ? Pdu.DIGEST_BYTES : 0);
      digestOk = !dataDigest || digestOk(data, dataLength);
    }
    if (!handler.onPdu(staging, base, data, dataLength, digestOk)) {
      return Delivery.REFUSED;
    }
    initialized = true;
    start = base + plen;
    return Delivery.DELIVERED;
  }

  private Delivery beginData(int base, int headerBytes) {
    int pdo = Pdu.pdo(staging, base);
    long length = Pdu.dataLength(staging, base);
    if (length == 0) {
      return bad(Pdu.FES_INVALID_FIELD, 16, base);
    }
    if (Pdu.plen(staging, base) != pdo + length + (dataDigest ? Pdu.DIGEST_BYTES : 0)) {
      return bad(Pdu.FES_INVALID_FIELD, 4, base);
    }
    if (end - base < pdo) {
      return Delivery.INCOMPLETE;
    }
    assert pdo >= headerBytes;
    Sgl into = handler.onData(staging, base);
    if (into == null) {
      return Delivery.REFUSED;
    }
    sink = into;
    sinkPosition = Pdu.dataOffset(staging, base);
    sinkLeft = length;
    dataCrc = dataDigest ? crc : null;
    if (dataCrc != null) {
      dataCrc.reset();
    }
    start = base + pdo;
    return Delivery.DELIVERED;
  }

  /** Moves staged payload to its place; false when more has to be read. */
  private boolean deliverData(Sgl into) {
    long count = Math.min(sinkLeft, end - start);
    if (count > 0) {
      into.copyFrom(sinkPosition, staging, start, count);
      if (dataCrc != null) {
        dataCrc.update(staging, start, count);
      }
      sinkPosition += count;
      sinkLeft -= count;
      start += (int) count;
    }
    if (sinkLeft > 0) {
      return false;
    }
    boolean digestOk = true;
    if (dataCrc != null) {
      if (end - start < Pdu.DIGEST_BYTES) {
        return false;
      }
      digestOk = dataCrc.value() == staging.get(Pdu.LE32, start);
      start += Pdu.DIGEST_BYTES;
    }
    sink = null;
    handler.onDataEnd(digestOk);
    return true;
  }

  private boolean digestOk(int from, int length) {
    Crc32c sum = crc;
    return sum == null || sum.of(staging, from, length) == staging.get(Pdu.LE32, from + length);
  }

  private boolean headerDigestOk(int base, int hlen) {
    if (digestOk(base, hlen)) {
      return true;
    }
    bad(Pdu.FES_HEADER_DIGEST, staging.get(Pdu.LE32, base + hlen) & 0xffff_ffffL, base);
    return false;
  }

  /** Checks all that the common header tells. */
  private boolean commonOk(int base, int type) {
    if (!receives(type)) {
      return refuse(Pdu.FES_INVALID_FIELD, 0, base);
    }
    boolean first = type == Pdu.IC_REQ || type == Pdu.IC_RESP;
    boolean last = type == Pdu.H2C_TERM_REQ || type == Pdu.C2H_TERM_REQ;
    if (first == initialized && !last) {
      return refuse(Pdu.FES_SEQUENCE, 0, base);
    }
    if (Pdu.hlen(staging, base) != Pdu.headerBytes(type)) {
      return refuse(Pdu.FES_INVALID_FIELD, 2, base);
    }
    long plen = Pdu.plen(staging, base);
    if (first || last) {
      long max = first ? Pdu.IC_BYTES : Pdu.TERM_REQ_MAX_BYTES;
      return (plen >= Pdu.headerBytes(type) && plen <= max) || refuse(Pdu.FES_INVALID_FIELD, 4, base);
    }
    return digestFlagsOk(base, type, plen) && lengthOk(base, type, plen);
  }

  private boolean digestFlagsOk(int base, int type, long plen) {
    int headerBytes = Pdu.headerBytes(type) + (headerDigest ? Pdu.DIGEST_BYTES : 0);
    boolean data = Pdu.hasPayload(type) || (type == Pdu.CAPSULE_CMD && plen > headerBytes);
    int expected = (headerDigest ? Pdu.FLAG_HDGST : 0) | (dataDigest && data ? Pdu.FLAG_DDGST : 0);
    int flags = Pdu.flags(staging, base) & (Pdu.FLAG_HDGST | Pdu.FLAG_DDGST);
    return flags == expected || refuse(Pdu.FES_INVALID_FIELD, 1, base);
  }

  private boolean lengthOk(int base, int type, long plen) {
    int headerBytes = Pdu.headerBytes(type) + (headerDigest ? Pdu.DIGEST_BYTES : 0);
    boolean payload = Pdu.hasPayload(type);
    if (!payload && plen == headerBytes) {
      return true;
    }
    if (plen < headerBytes || (!payload && type != Pdu.CAPSULE_CMD)) {
      return refuse(Pdu.FES_INVALID_FIELD, 4, base);
    }
    int pdo = Pdu.pdo(staging, base);
    if (pdo < headerBytes || pdo % 4 != 0) {
      return refuse(Pdu.FES_INVALID_FIELD, 3, base);
    }
    long data = plen - pdo - (dataDigest ? Pdu.DIGEST_BYTES : 0);
    return (data > 0 && (payload || data <= maxCapsuleData)) || refuse(Pdu.FES_INVALID_FIELD, 4, base);
  }

  private boolean receives(int type) {
    return switch (role) {
      case TARGET -> type == Pdu.IC_REQ || type == Pdu.CAPSULE_CMD || type == Pdu.H2C_DATA || type == Pdu.H2C_TERM_REQ;
      case HOST -> type == Pdu.IC_RESP || type == Pdu.CAPSULE_RESP || type == Pdu.C2H_DATA || type == Pdu.R2T
          || type == Pdu.C2H_TERM_REQ;
    };
  }

  private boolean hasDigests(int type) {
    return initialized && type != Pdu.H2C_TERM_REQ && type != Pdu.C2H_TERM_REQ;
  }

  private Delivery bad(int fes, long fei, int base) {
    stop();
    // Of a header that gives a length of nothing, the part that says so is worth showing.
    int length = Math.clamp(Pdu.hlen(staging, base), Pdu.COMMON_BYTES, Pdu.HEADER_MAX_BYTES);
    handler.onBad(fes, fei, staging, base, Math.min(end - base, length));
    return Delivery.REFUSED;
  }

  private boolean refuse(int fes, long fei, int base) {
    bad(fes, fei, base);
    return false;
  }
}
