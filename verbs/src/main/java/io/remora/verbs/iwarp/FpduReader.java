package io.remora.verbs.iwarp;

import io.remora.base.Crc32c;
import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the bytes of a stream into frames, checks their form, and brings payload to where it belongs. Belongs to its connection's loop.
 *
 * <p>Without checksums all connections of a loop read into one staging buffer, in which a reader leaves nothing: payload moves on at once, what has come of a header is kept
 * in a few bytes of the reader's own, and what is missing of a payload is read straight to its place, the beginning of the next frame behind it into the staging buffer. With checksums a reader has a
 * staging buffer of its own, and a frame is looked at, and touches memory, when it is there as a whole and its checksum holds.
 *
 * <p>What reaches the handler has a header as long as its operation demands, of versions that this end speaks, with a tag where the operation has one.
 */
final class FpduReader {
  /** Takes frames, inside of {@link #advance}. Any method may call {@link #stop}; none may advance another reader with the same staging buffer. */
  interface Handler {
    /**
     * The header of a frame, whole at {@code at} of {@code s} until this returns.
     *
     * @param payloadBytes the bytes that follow it, 0 for operations that are all header
     * @param sink empty; to be filled with memory for exactly {@code payloadBytes} bytes
     * @return false when the frame is wrong, after {@link #stop}
     */
    boolean onFrame(MemorySegment s, long at, int payloadBytes, Sgl sink);

    /** Whether the memory that the last {@link #onFrame} gave may still be written, a turn or more later; false after {@link #stop}. */
    boolean onResume();

    /** The payload of the last {@link #onFrame}, if any, is in its place. */
    void onFrameEnd();

    /** The peer has broken the protocol as {@code cause} of {@link Terminate} says; the reader has stopped. Of the header, {@code length} bytes are at {@code at} of {@code s}, 0 when they are not to be trusted. */
    void onBad(int cause, MemorySegment s, long at, int length);
  }

  /** How {@link #advance} ended. */
  enum Progress {
    /** Everything in the socket has been taken: wait for it to become readable. */
    DRAINED,
    /** The budget is used up: call again in a later turn. */
    MORE,
    /** The stream has ended or failed: {@link StreamSocket#closeReason}, {@link #betweenFrames}. */
    CLOSED,
    /** {@link #stop} was called. */
    STOPPED
  }

  /** A staging buffer of this size holds two of the longest frames, in bytes. */
  static final int STAGING_BYTES = 2 * Fpdu.MAX_BYTES;
  /** What is missing of a payload that is as long as this is read straight to its place, in bytes: shorter ones are cheaper to copy than to ask for one by one. */
  private static final int DIRECT_MIN_BYTES = 8 << 10;
  /** After such a payload another one is likely: so much is read behind it into the staging buffer, enough for the short frame at the end of a message, in bytes. */
  private static final int AHEAD_BYTES = 2 << 10;

  private final Handler handler;
  private final Sgl sink = new Sgl();
  private final Sgl direct = new Sgl();
  /** The beginning of a header, while it is not in the staging buffer. */
  private final MemorySegment kept = MemorySegment.ofArray(new byte[Rdmap.MAX_HEADER_BYTES]);
  private MemorySegment staging;
  private int keptBytes;
  private int start;
  private int end;
  /** Pad and checksum of the present frame that are still to come, in bytes. */
  private int trailerLeft;
  private boolean inFrame;
  /** The present frame has much to place. */
  private boolean longPayload;
  private boolean extended;
  private boolean stopped;
  private @Nullable Crc32c crc;

  /** A reader whose next byte is the first of a frame. {@code staging} is its loop's, native, of {@link #STAGING_BYTES}. */
  FpduReader(MemorySegment staging, Handler handler) {
    this.staging = staging;
    this.handler = handler;
  }

  /** Frames carry checksums; {@code own} is a staging buffer of this reader's alone. Before the first byte. */
  void checksums(MemorySegment own) {
    staging = own;
    crc = new Crc32c();
  }

  /** The operations of RFC 7306, and those of this provider's own, may come. */
  void extended(boolean value) {
    extended = value;
  }

  /** Ends reading: nothing is delivered any more. */
  void stop() {
    stopped = true;
    sink.clear();
  }

  /** Whether all frames that have begun have come as a whole: the place for a stream to end. */
  boolean betweenFrames() {
    return !inFrame && keptBytes == 0 && (crc == null || start == end);
  }

  /** Reads from {@code socket} and delivers what arrives, up to about {@code budgetBytes}. */
  Progress advance(StreamSocket socket, long budgetBytes) {
    if (stopped) {
      return Progress.STOPPED;
    }
    if (sink.totalBytes() > 0 && !handler.onResume()) {
      return Progress.STOPPED;
    }
    unkeep();
    long budget = budgetBytes;
    Progress progress = null;
    while (progress == null) {
      if (budget <= 0) {
        progress = Progress.MORE;
        break;
      }
      long count = crc == null && longPayload && sink.totalBytes() > 0 ? readDirect(socket) : readStaging(socket);
      if (count <= 0) {
        progress = count == 0 ? Progress.DRAINED : Progress.CLOSED;
      } else {
        budget -= count;
        if (!deliver()) {
          progress = Progress.STOPPED;
        }
      }
    }
    keep();
    return progress;
  }

  /** Brings the beginning of a header back into the staging buffer. */
  private void unkeep() {
    if (crc == null) {
      MemorySegment.copy(kept, 0, staging, 0, keptBytes);
      start = 0;
      end = keptBytes;
      keptBytes = 0;
    }
  }

  /** Empties the staging buffer for others. */
  private void keep() {
    if (crc == null && !stopped) {
      keptBytes = end - start;
      MemorySegment.copy(staging, start, kept, 0, keptBytes);
    }
  }

  private int capacity() {
    return Math.toIntExact(staging.byteSize());
  }

  private long readStaging(StreamSocket socket) {
    if (start > 0) {
      MemorySegment.copy(staging, start, staging, 0, end - start);
      end -= start;
      start = 0;
    }
    long count = socket.read(staging, end, capacity() - end);
    if (count > 0) {
      end += (int) count;
    }
    return count;
  }

  /** Reads what is missing of a payload to its place, and a little behind it; the staging buffer is empty. */
  private long readDirect(StreamSocket socket) {
    assert start == end;
    long missing = sink.totalBytes();
    direct.addRange(sink, 0, missing);
    direct.add(staging, 0, AHEAD_BYTES);
    long count = socket.read(direct);
    direct.clear();
    start = 0;
    end = (int) Math.max(0, count - missing);
    sink.consume(Math.clamp(count, 0, missing));
    return count;
  }

  /** Delivers what is in the staging buffer; false when the reader has been stopped. */
  private boolean deliver() {
    while (!stopped) {
      if (inFrame ? !finishFrame() : !beginFrame()) {
        return !stopped;
      }
    }
    return false;
  }

  /** Begins the next frame; false when more has to be read, or after a stop. */
  private boolean beginFrame() {
    int available = end - start;
    if (available < 2 * Fpdu.LENGTH_BYTES) {
      return false;
    }
    int length = Fpdu.ulpduLength(staging, start);
    if (length < Rdmap.TAGGED_BYTES - Fpdu.LENGTH_BYTES) {
      return bad(Terminate.FRAME, 0);
    }
    if (crc != null) {
      int whole = Fpdu.frameBytes(length) - Fpdu.CRC_BYTES;
      if (available < whole + Fpdu.CRC_BYTES) {
        return false;
      }
      if (crc.of(staging, start, whole) != staging.get(Fpdu.LE32, start + whole)) {
        return bad(Terminate.CRC, 0);
      }
    }
    int control = Fpdu.control(staging, start);
    int opcode = Fpdu.opcode(control);
    int wrong = wrongControl(control, opcode);
    int headerBytes = opcode == Rdmap.TERMINATE ? Fpdu.LENGTH_BYTES + length : Rdmap.headerBytes(opcode);
    if (wrong == 0 && !lengthOk(opcode, length, headerBytes)) {
      wrong = Terminate.FRAME;
    }
    if (wrong != 0) {
      int plain = Fpdu.tagged(control) ? Rdmap.TAGGED_BYTES : Rdmap.UNTAGGED_BYTES;
      return bad(wrong, Math.min(available, Fpdu.LENGTH_BYTES + length) >= plain ? plain : 0);
    }
    if (available < headerBytes) {
      return false;
    }
    int payloadBytes = Fpdu.LENGTH_BYTES + length - headerBytes;
    sink.clear();
    if (!handler.onFrame(staging, start, payloadBytes, sink)) {
      assert stopped;
      return false;
    }
    assert stopped || sink.totalBytes() == payloadBytes : sink.totalBytes() + " for " + payloadBytes;
    start += headerBytes;
    longPayload = payloadBytes >= DIRECT_MIN_BYTES;
    trailerLeft = Fpdu.padBytes(length) + Fpdu.CRC_BYTES;
    inFrame = true;
    return true;
  }

  /** Moves payload to its place, then skips the trailer; false when more has to be read, or after a stop. */
  private boolean finishFrame() {
    long count = Math.min(sink.totalBytes(), end - start);
    if (count > 0) {
      sink.copyFrom(0, staging, start, count);
      sink.consume(count);
      start += (int) count;
    }
    if (sink.totalBytes() > 0) {
      return false;
    }
    int skip = Math.min(trailerLeft, end - start);
    start += skip;
    trailerLeft -= skip;
    if (trailerLeft > 0) {
      return false;
    }
    inFrame = false;
    handler.onFrameEnd();
    return !stopped;
  }

  /** What is wrong with the control field, 0: nothing. */
  private int wrongControl(int control, int opcode) {
    if (Fpdu.ddpVersion(control) != 1) {
      return Fpdu.tagged(control) ? Terminate.TAGGED_VERSION : Terminate.UNTAGGED_VERSION;
    }
    if (Fpdu.rdmapVersion(control) != 1) {
      return Terminate.RDMAP_VERSION;
    }
    boolean known = opcode < (extended ? Rdmap.COUNT : Rdmap.BASIC_COUNT);
    return known && Rdmap.tagged(opcode) == Fpdu.tagged(control) ? 0 : Terminate.OPCODE;
  }

  private static boolean lengthOk(int opcode, int length, int headerBytes) {
    int bytes = Fpdu.LENGTH_BYTES + length;
    if (opcode == Rdmap.TERMINATE) {
      return bytes >= Rdmap.TERMINATE_MIN_BYTES && bytes <= Rdmap.TERMINATE_MAX_BYTES;
    }
    return Rdmap.hasPayload(opcode) ? bytes >= headerBytes : bytes == headerBytes;
  }

  private boolean bad(int cause, int headerBytes) {
    stop();
    handler.onBad(cause, staging, start, headerBytes);
    return false;
  }
}
