package io.remora.nvme.tcp;

import io.remora.base.Buffer;
import io.remora.base.Crc32c;
import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import io.remora.nvme.Cqe;
import io.remora.nvme.target.Command;
import io.remora.nvme.target.LoopContext;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What a connection has to send: the target's PDUs, headers in a ring, data where it lies, gathered so that one system call takes all. Belongs to the
 * connection's loop.
 *
 * <p>Invariant: no more than half of the ring is unsent, since the headers of all command slots together take no more. So the
 * ring needs no account of what is free.
 */
final class TargetOutput {
  /** The largest alignment of data that a host may ask for, in dwords, less one. */
  static final int MAX_ALIGNMENT = 31;

  private final Crc32c crc;
  private final Buffer buffer;
  private final MemorySegment ring;
  private final Sgl list = new Sgl();
  private int next;
  private long queued;
  private long sent;
  private boolean headerDigest;
  private boolean dataDigest;
  private final int dataAlignment;

  private TargetOutput(Buffer buffer, Crc32c crc, int alignment) {
    this.buffer = buffer;
    this.ring = buffer.segment();
    this.crc = crc;
    this.dataAlignment = (alignment + 1) * 4;
  }

  /**
   * Output for one connection; null when there is no memory for it.
   *
   * @param alignment what the host asked for (HPDA), in dwords, less one; what is above {@link #MAX_ALIGNMENT} is taken for that
   */
  static @Nullable TargetOutput open(LoopContext context, int alignment) {
    int bounded = Math.min(alignment, MAX_ALIGNMENT);
    Buffer buffer = context.pool().take(context.connections(),
        ringBytes(bounded, context.target().config().queueEntries()));
    return buffer == null ? null : new TargetOutput(buffer, context.crc(), bounded);
  }

  /** Twice what the headers of all slots can take at once. */
  private static int ringBytes(int alignment, int entries) {
    int r2t = Pdu.SHORT_BYTES + Pdu.DIGEST_BYTES;
    int data = Math.max(Pdu.SHORT_BYTES + Pdu.DIGEST_BYTES, (alignment + 1) * 4) + Pdu.DIGEST_BYTES;
    int response = Pdu.SHORT_BYTES + Pdu.DIGEST_BYTES;
    return 2 * (entries * (r2t + data + response) + Pdu.IC_BYTES + Pdu.TERM_REQ_MAX_BYTES + response);
  }

  /** ICResp: what was agreed on holds from the next PDU on. */
  void initialize(int digests, int maxTransferBytes) {
    headerDigest = (digests & Pdu.FLAG_HDGST) != 0;
    dataDigest = (digests & Pdu.FLAG_DDGST) != 0;
    long at = header(Pdu.IC_BYTES);
    Pdu.initialize(ring, at, Pdu.IC_RESP, 0, digests, maxTransferBytes);
  }

  /** R2T for all data of {@code command}. */
  void requestData(TargetCommand command) {
    int length = Pdu.SHORT_BYTES + (headerDigest ? Pdu.DIGEST_BYTES : 0);
    long at = header(length);
    Pdu.common(ring, at, Pdu.R2T, headerDigest ? Pdu.FLAG_HDGST : 0, Pdu.SHORT_BYTES, 0, length);
    Pdu.transfer(ring, at, command.cid(), command.beginTransfer(), 0, command.dataBytes());
    sealHeader(at);
  }

  /** CapsuleResp. */
  void respond(int cid, long result, int sqhd, int status) {
    int length = Pdu.SHORT_BYTES + (headerDigest ? Pdu.DIGEST_BYTES : 0);
    long at = header(length);
    Pdu.common(ring, at, Pdu.CAPSULE_RESP, headerDigest ? Pdu.FLAG_HDGST : 0, Pdu.SHORT_BYTES, 0, length);
    Cqe.write(ring, at + Pdu.COMMON_BYTES, result, sqhd, cid, status);
    sealHeader(at);
  }

  /** C2HData with all data of {@code command}, which must stay until it is sent; {@code success} when it stands for the response, too. */
  void sendData(Command command, boolean success) {
    int headerBytes = Pdu.SHORT_BYTES + (headerDigest ? Pdu.DIGEST_BYTES : 0);
    int pdo = (headerBytes + dataAlignment - 1) / dataAlignment * dataAlignment;
    int flags = Pdu.FLAG_LAST | (success ? Pdu.FLAG_SUCCESS : 0) | (headerDigest ? Pdu.FLAG_HDGST : 0)
        | (dataDigest ? Pdu.FLAG_DDGST : 0);
    long at = header(pdo);
    Pdu.common(ring, at, Pdu.C2H_DATA, flags, Pdu.SHORT_BYTES, pdo,
        (long) pdo + command.dataBytes() + (dataDigest ? Pdu.DIGEST_BYTES : 0));
    Pdu.transfer(ring, at, command.cid(), 0, 0, command.dataBytes());
    sealHeader(at);
    for (int i = headerBytes; i < pdo; i += 4) {
      ring.set(Pdu.LE32, at + i, 0);
    }
    list.addRange(command.data(), 0, command.dataBytes());
    queued += command.dataBytes();
    if (dataDigest) {
      crc.reset();
      crc.update(command.data(), 0, command.dataBytes());
      long digest = header(Pdu.DIGEST_BYTES);
      ring.set(Pdu.LE32, digest, crc.value());
    }
  }

  /** C2HTermReq, with the beginning of the PDU of {@code length} bytes at {@code base} of {@code s} that is the reason. */
  void terminate(int fes, long fei, MemorySegment s, long base, int length) {
    int copied = Math.min(length, Pdu.TERM_REQ_MAX_BYTES - Pdu.SHORT_BYTES);
    long at = header(Pdu.SHORT_BYTES + copied);
    Pdu.termReq(ring, at, Pdu.C2H_TERM_REQ, fes, fei, s, base, copied);
  }

  private void sealHeader(long at) {
    if (headerDigest) {
      ring.set(Pdu.LE32, at + Pdu.SHORT_BYTES, crc.of(ring, at, Pdu.SHORT_BYTES));
    }
  }

  /** Queues {@code length} bytes of the ring, to be filled in before the next {@link #send}; gives their place. */
  private long header(int length) {
    if (next + length > ring.byteSize()) {
      next = 0;
    }
    int at = next;
    next += length;
    list.append(ring, at, length);
    queued += length;
    return at;
  }

  boolean isEmpty() {
    return queued == sent;
  }

  /** How much was queued so far, in bytes. */
  long queued() {
    return queued;
  }

  /** How much was sent so far, in bytes. */
  long sent() {
    return sent;
  }

  /** Sends what the socket takes; false when the connection has ended. */
  boolean send(StreamSocket socket) {
    long count = socket.write(list);
    if (count > 0) {
      list.consume(count);
      sent += count;
    }
    return count >= 0;
  }

  /** Gives the ring back; nothing is sent any more. */
  void free() {
    list.clear();
    buffer.release();
  }
}
