package io.remora.nvme.tcp;

import io.remora.base.Crc32c;
import io.remora.base.Sgl;
import io.remora.nvme.Sqe;
import io.remora.nvme.host.HostCommand;
import io.remora.nvme.host.HostTransport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What a host's NVMe/TCP connection has to send: command capsules, and data that was asked for. Belongs to its link.
 *
 * <p>Headers and digests are written one behind the other into a small buffer; the list that goes to the socket is made of pieces of
 * that buffer and of the requests' own memory. The buffer is filled anew when all of it has been written to the socket.
 */
final class HostTcpSender {
  private static final int BUFFER_BYTES = 32 << 10;
  /** The most that one PDU takes of the buffer: header, digests, padding. */
  private static final int ENTRY_BYTES = 256;
  /**
   * No PDU has more data, so that large writes do not stop small ones for long; but with data digests as much as the controller
   * takes: Linux's target computes the digest of each H2CData over the whole command, so there has to be one only.
   */
  private static final int MAX_DATA_BYTES = 128 << 10;
  /** About how much is put together for one write to the socket: the controller works on it while the rest is being sent. */
  private static final int BATCH_BYTES = 64 << 10;

  private final MemorySegment buffer;
  private final boolean headerDigest;
  private final boolean dataDigest;
  private final int inCapsuleBytes;
  private final Sgl pending = new Sgl();
  private final Crc32c crc = new Crc32c();
  private int alignment = 4;
  private long maxDataBytes;
  private @Nullable HostTransfer head;
  private @Nullable HostTransfer tail;
  private int used;
  /** From here to {@link #used} the buffer is not in {@link #pending} yet. */
  private int run;
  /** The stream's position of the first byte that was not written to the socket. */
  private long position;

  HostTcpSender(Arena memory, HostTransport.Link link) {
    this.buffer = memory.allocate(BUFFER_BYTES, 64);
    this.headerDigest = link.headerDigest();
    this.dataDigest = link.dataDigest();
    this.inCapsuleBytes = link.inCapsuleBytes();
  }

  /** Begins the connection. */
  void initialize() {
    Pdu.initialize(buffer, 0, Pdu.IC_REQ, 0,
        (headerDigest ? Pdu.FLAG_HDGST : 0) | (dataDigest ? Pdu.FLAG_DDGST : 0), 0);
    pending.add(buffer, 0, Pdu.IC_BYTES);
  }

  /** Sets what ICResp said: CPDA, MAXH2CDATA. */
  void limits(int dataAlignment, long maxH2cData) {
    alignment = (dataAlignment + 1) * 4;
    maxDataBytes = dataDigest ? maxH2cData : Math.min(maxH2cData, MAX_DATA_BYTES);
  }

  /** A command to send, or data of it that was asked for. */
  void add(HostTransfer transfer) {
    transfer.queued = true;
    transfer.next = null;
    HostTransfer last = tail;
    if (last == null) {
      head = transfer;
    } else {
      last.next = transfer;
    }
    tail = transfer;
  }

  /** Whether memory of the command is still to be sent. */
  boolean needs(HostTransfer transfer) {
    return transfer.queued || transfer.sentThrough > position;
  }

  /** What is to be written to the socket next; empty when there is nothing. */
  Sgl pending() {
    if (pending.totalBytes() == 0 && head != null) {
      fill();
    }
    return pending;
  }

  /** The socket took so much of {@link #pending}. */
  void written(long bytes) {
    pending.consume(bytes);
    position += bytes;
  }

  /**
   * The end of the stream: a TermReq, behind what the socket has not taken yet of what was put together for it, for the stream may stand in the
   * middle of a PDU. That is copied into {@code memory}, because the commands' own goes back to whoever gave them.
   */
  Sgl termReq(Arena memory, int fes, long fei, MemorySegment bad, long base, int length) {
    long rest = pending.totalBytes();
    MemorySegment all = memory.allocate(rest + Pdu.TERM_REQ_MAX_BYTES, 64);
    pending.copyTo(0, all, 0, rest);
    pending.clear();
    pending.add(all, 0, rest + Pdu.termReq(all, rest, Pdu.H2C_TERM_REQ, fes, fei, bad, base, length));
    return pending;
  }

  private void fill() {
    used = 0;
    run = 0;
    long data = 0;
    while (head != null && used + ENTRY_BYTES <= BUFFER_BYTES && data < BATCH_BYTES) {
      HostTransfer transfer = head;
      head = transfer.next;
      transfer.next = null;
      transfer.queued = false;
      if (head == null) {
        tail = null;
      }
      if (transfer.capsulePending) {
        data += capsule(transfer);
      } else if (!transfer.answered) {
        data += data(transfer);
      }
    }
    endRun();
  }

  private long capsule(HostTransfer transfer) {
    HostCommand command = transfer.command;
    assert command != null;
    transfer.capsulePending = false;
    long bytes = command.dataBytes();
    boolean inside = command.direction == HostCommand.Direction.OUT && bytes > 0 && bytes <= inCapsuleBytes;
    int base = used;
    header(Pdu.CAPSULE_CMD, 0, Pdu.CAPSULE_CMD_BYTES, inside ? bytes : 0);
    int sqe = base + Pdu.COMMON_BYTES;
    command.encode(buffer, sqe);
    Sqe.sgl(buffer, sqe, inside ? Sqe.SGL_IN_CAPSULE : Sqe.SGL_TRANSPORT, 0, bytes);
    endHeader(base, Pdu.CAPSULE_CMD_BYTES);
    if (inside) {
      payload(base, command.data, 0, bytes);
      transfer.sentBytes = bytes;
    }
    transfer.sentThrough = position + pending.totalBytes() + used - run;
    return inside ? bytes : 0;
  }

  private long data(HostTransfer transfer) {
    HostCommand command = transfer.command;
    assert command != null;
    long left = transfer.grantedBytes - transfer.sentBytes;
    long bytes = Math.min(left, maxDataBytes);
    int base = used;
    header(Pdu.H2C_DATA, bytes == left ? Pdu.FLAG_LAST : 0, Pdu.SHORT_BYTES, bytes);
    Pdu.transfer(buffer, base, command.cid, transfer.tag, transfer.sentBytes, bytes);
    endHeader(base, Pdu.SHORT_BYTES);
    payload(base, command.data, transfer.sentBytes, bytes);
    transfer.sentBytes += bytes;
    transfer.sentThrough = position + pending.totalBytes() + used - run;
    if (bytes < left) {
      add(transfer);
    }
    return bytes;
  }

  private void header(int type, int flags, int hlen, long dataBytes) {
    int headerBytes = hlen + (headerDigest ? Pdu.DIGEST_BYTES : 0);
    int pdo = dataBytes > 0 ? (headerBytes + alignment - 1) / alignment * alignment : 0;
    long plen = dataBytes > 0 ? pdo + dataBytes + (dataDigest ? Pdu.DIGEST_BYTES : 0) : headerBytes;
    int digests = (headerDigest ? Pdu.FLAG_HDGST : 0) | (dataDigest && dataBytes > 0 ? Pdu.FLAG_DDGST : 0);
    Pdu.common(buffer, used, type, flags | digests, hlen, pdo, plen);
  }

  private void endHeader(int base, int hlen) {
    used = base + hlen;
    if (headerDigest) {
      buffer.set(Pdu.LE32, used, crc.of(buffer, base, hlen));
      used += Pdu.DIGEST_BYTES;
    }
  }

  private void payload(int base, Sgl list, long from, long bytes) {
    int pdo = Pdu.pdo(buffer, base);
    while (used < base + pdo) {
      buffer.set(ValueLayout.JAVA_BYTE, used++, (byte) 0);
    }
    endRun();
    pending.addRange(list, from, bytes);
    if (dataDigest) {
      crc.reset();
      crc.update(list, from, bytes);
      buffer.set(Pdu.LE32, used, crc.value());
      used += Pdu.DIGEST_BYTES;
    }
  }

  private void endRun() {
    pending.add(buffer, run, used - run);
    run = used;
  }
}
