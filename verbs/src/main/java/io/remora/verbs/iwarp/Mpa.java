package io.remora.verbs.iwarp;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * An MPA Request or Reply: how a connection begins (RFC 5044 7, RFC 6581 5).
 *
 * <pre>
 * 0                  16     18          20                     24
 * | "MPA ID Req Frame" | bits | PD length | [IRD ORD, 2 bytes each] | private data ...
 * </pre>
 *
 * <p>Immutable; the private data is shared, not copied.
 */
final class Mpa {
  /** Bits: the sender wants markers. */
  static final int MARKERS = 0x8000;
  /** Bits: the sender wants checksums, which then go both ways. */
  static final int CRC = 0x4000;
  /** Bits, in a Reply: no. */
  static final int REJECT = 0x2000;
  /** Bits: enhanced data is there. Counts with revision 2 only. */
  static final int ENHANCED = 0x1000;
  /**
   * Bits, in a Request: the sender is this provider and offers the operations of RFC 7306. RFC 5044 reserves the bit: others do not look at it, but siw sends all bits of
   * a Request back in its Reply, so that the answer has to be another bit.
   */
  static final int OFFER = 0x0100;
  /** Bits, in a Reply without {@link #OFFER}: the sender is this provider and takes the offer. */
  static final int TAKEN = 0x0200;

  /** From the key to the length of the private data, in bytes: as much as has to be read to know how much follows. */
  static final int HEAD_BYTES = 20;
  private static final int ENHANCED_BYTES = 4;
  /** The private data of the wire, enhanced data included, in bytes: what RFC 5044 allows. */
  static final int MAX_DATA_BYTES = 512;
  /** What the application may say, in bytes: siw keeps the length of what it sends in one byte. */
  static final int MAX_PRIVATE_BYTES = 251;

  private static final int REVISION = 0xff;
  private static final byte[] REQUEST_KEY = "MPA ID Req Frame".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] REPLY_KEY = "MPA ID Rep Frame".getBytes(StandardCharsets.US_ASCII);

  /**
   * What RFC 6581 adds: 16 bits each for IRD and ORD with two flags.
   *
   * @param ird flags {@link #PEER_TO_PEER} and {@link #START_SEND}, and the reads that the sender serves at once
   * @param ord flags {@link #START_WRITE} and {@link #START_READ}, and the reads that the sender wants to issue at once
   */
  record Enhanced(int ird, int ord) {
    /** The connecting end sends the first frame by itself. */
    static final int PEER_TO_PEER = 0x8000;
    /** That frame may be an empty Send. */
    static final int START_SEND = 0x4000;
    /** That frame may be an empty Write. */
    static final int START_WRITE = 0x8000;
    /** That frame may be an empty Read Request. */
    static final int START_READ = 0x4000;
    /** The most that can be said; of ORD it means that the application agrees on it. */
    static final int MAX_READS = 0x3fff;

    boolean peerToPeer() {
      return (ird & PEER_TO_PEER) != 0;
    }

    boolean startWrite() {
      return (ord & START_WRITE) != 0;
    }

    boolean startRead() {
      return (ord & START_READ) != 0;
    }

    /** Reads that the sender serves at once. */
    int served() {
      return ird & MAX_READS;
    }

    /** Reads that the sender wants to issue at once. */
    int wanted() {
      return ord & MAX_READS;
    }
  }

  private final boolean reply;
  private final int bits;
  private final int revision;
  private final @Nullable Enhanced enhanced;
  private final byte[] privateData;

  /**
   * A frame to be.
   *
   * @param reply a Reply
   * @param bits as on the wire, without the revision: see the constants
   * @param revision 0 to 2
   * @param enhanced what RFC 6581 adds; null without
   * @param privateData the application's
   */
  Mpa(boolean reply, int bits, int revision, @Nullable Enhanced enhanced, byte[] privateData) {
    this.reply = reply;
    this.bits = bits;
    this.revision = revision;
    this.enhanced = enhanced;
    this.privateData = privateData;
  }

  boolean has(int bit) {
    return (bits & bit) != 0;
  }

  int revision() {
    return revision;
  }

  @Nullable
  Enhanced enhanced() {
    return enhanced;
  }

  byte[] privateData() {
    return privateData;
  }

  /** How many bytes follow the head of {@link #HEAD_BYTES} bytes; throws {@link Status#PROTOCOL_ERROR} when it is none of {@code reply}'s kind. */
  static int dataBytes(MemorySegment head, boolean reply) {
    byte[] key = reply ? REPLY_KEY : REQUEST_KEY;
    if (head.asSlice(0, key.length).mismatch(MemorySegment.ofArray(key)) >= 0) {
      throw wrong(reply, "does not begin with '" + new String(key, StandardCharsets.US_ASCII) + "'");
    }
    int revision = head.get(Fpdu.BE16, 16) & REVISION;
    if (revision > 2) {
      throw wrong(reply, "has revision " + revision + ", this end knows 0 to 2");
    }
    int bytes = head.get(Fpdu.BE16, 18) & 0xffff;
    if (bytes > MAX_DATA_BYTES) {
      throw wrong(reply, "has " + bytes + " bytes of private data, at most " + MAX_DATA_BYTES + " are allowed");
    }
    return bytes;
  }

  /** Reads a whole frame; throws {@link Status#PROTOCOL_ERROR} when it is not valid. */
  static Mpa parse(MemorySegment frame, boolean reply) {
    int dataBytes = dataBytes(frame, reply);
    int word = frame.get(Fpdu.BE16, 16) & 0xffff;
    int revision = word & REVISION;
    int at = HEAD_BYTES;
    Enhanced enhanced = null;
    if ((word & ENHANCED) != 0 && revision == 2) {
      if (dataBytes < ENHANCED_BYTES) {
        throw wrong(reply, "announces enhanced data of 4 bytes and has " + dataBytes);
      }
      enhanced = new Enhanced(frame.get(Fpdu.BE16, at) & 0xffff, frame.get(Fpdu.BE16, at + 2) & 0xffff);
      at += ENHANCED_BYTES;
    }
    byte[] data = frame.asSlice(at, HEAD_BYTES + dataBytes - at).toArray(ValueLayout.JAVA_BYTE);
    return new Mpa(reply, word & ~REVISION, revision, enhanced, data);
  }

  /** The frame as it goes over the wire. */
  byte[] encode() {
    Enhanced extra = enhanced;
    int dataBytes = privateData.length + (extra == null ? 0 : ENHANCED_BYTES);
    byte[] bytes = new byte[HEAD_BYTES + dataBytes];
    MemorySegment s = MemorySegment.ofArray(bytes);
    MemorySegment.copy(reply ? REPLY_KEY : REQUEST_KEY, 0, s, ValueLayout.JAVA_BYTE, 0, REQUEST_KEY.length);
    s.set(Fpdu.BE16, 16, (short) (bits | revision));
    s.set(Fpdu.BE16, 18, (short) dataBytes);
    if (extra != null) {
      s.set(Fpdu.BE16, HEAD_BYTES, (short) extra.ird);
      s.set(Fpdu.BE16, HEAD_BYTES + 2, (short) extra.ord);
    }
    MemorySegment.copy(privateData, 0, s, ValueLayout.JAVA_BYTE, bytes.length - privateData.length, privateData.length);
    return bytes;
  }

  private static RemoraException wrong(boolean reply, String what) {
    return new RemoraException(Status.PROTOCOL_ERROR, "the MPA " + (reply ? "reply " : "request ") + what);
  }
}
