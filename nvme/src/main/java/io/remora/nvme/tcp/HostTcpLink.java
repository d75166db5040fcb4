package io.remora.nvme.tcp;

import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.nvme.Cqe;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.host.HostCommand;
import io.remora.nvme.host.HostLink;
import io.remora.nvme.host.HostTransport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The host's end of one NVMe/TCP connection (NVMe/TCP 1.0). Lives on one loop.
 *
 * <p>Data is not copied here on its way out: headers are gathered in {@link HostTcpSender}'s buffer, data is sent from the request's memory.
 * On its way in, {@link PduReader} puts it where the request wants it.
 */
final class HostTcpLink implements HostLink, StreamSocket.Handler, PduReader.Handler {
  private static final int RECEIVE_BYTES = 64 << 10;
  private static final int READS_PER_TURN = 16;
  private static final int MIN_H2C_DATA = 4096;
  private static final int MAX_ALIGNMENT = 31;

  private final Loop loop;
  private final HostTransport.Link parameters;
  private final Events events;
  private final Arena memory = Arena.ofShared();
  private final HostTransfer[] transfers;
  private final PduReader reader;
  private final HostTcpSender sender;
  private final Runnable flushTask = this::flush;
  private final Runnable readTask = this::read;
  private final MemorySegment staging;
  private @Nullable StreamSocket socket;
  private @Nullable HostTcpFarewell farewell;
  private boolean flushDeferred;
  private boolean blocked;
  private boolean closed;

  private @Nullable HostTransfer inbound;
  private long inboundBytes;
  private int inboundFlags;

  private @Nullable HostTransfer answeredHead;

  HostTcpLink(Loop loop, HostTransport.Link parameters, Events events) {
    this.loop = loop;
    this.parameters = parameters;
    this.events = events;
    this.transfers = new HostTransfer[parameters.slots()];
    for (int i = 0; i < transfers.length; i++) {
      transfers[i] = new HostTransfer();
    }
    this.staging = memory.allocate(RECEIVE_BYTES, 4096);
    this.reader = new PduReader(PduReader.Role.HOST, staging, 0, this);
    this.sender = new HostTcpSender(memory, parameters);
  }

  void open() {
    socket = loop.net().connect(parameters.address(), this);
  }

  @Override
  public void send(HostCommand command) {
    HostTransfer transfer = transfers[command.slot];
    transfer.begin(command);
    sender.add(transfer);
    deferFlush();
  }

  @Override
  public void close(boolean abruptly) {
    if (closed) {
      return;
    }
    closed = true;
    reader.stop();
    StreamSocket old = socket;
    if (old != null) {
      if (abruptly) {
        old.reset();
      }
      old.close();
    }
    memory.close();
  }

  // The socket.

  @Override
  public void onConnected() {
    sender.initialize();
    flush();
  }

  @Override
  public void onReadable() {
    if (farewell != null) {
      farewell.onReadable();
    } else {
      read();
    }
  }

  @Override
  public void onWritable() {
    blocked = false;
    if (farewell != null) {
      farewell.onWritable();
    } else {
      flush();
    }
  }

  @Override
  public void onClosed(Status reason) {
    if (farewell != null) {
      farewell.end();
      return;
    }
    fail(reason.isOk() ? Status.DISCONNECTED : reason, "the connection to " + parameters.address() + " failed: "
        + reason.text());
  }

  private void read() {
    StreamSocket from = socket;
    for (int i = 0; i < READS_PER_TURN && !closed && from != null; i++) {
      switch (reader.advance(from, 1)) {
        case DRAINED, STALLED, STOPPED -> {
          return;
        }
        case CLOSED -> {
          onEnd(from);
          return;
        }
        // The controller works on what these answers made room for while the next ones are read.
        case MORE -> sendPending();
      }
    }
    if (!closed && from != null) {
      loop.defer(readTask);
    }
  }

  private void onEnd(StreamSocket ended) {
    Status reason = ended.closeReason();
    fail(reason.isOk() ? Status.DISCONNECTED : reason, parameters.address() + " closed the connection"
        + (reason.isOk() ? "" : ": " + reason.text()));
  }

  private void deferFlush() {
    if (!flushDeferred && !blocked) {
      flushDeferred = true;
      loop.defer(flushTask);
    }
  }

  private void flush() {
    flushDeferred = false;
    sendPending();
  }

  private void sendPending() {
    StreamSocket to = socket;
    while (!closed && !blocked && to != null) {
      Sgl pending = sender.pending();
      if (pending.totalBytes() == 0) {
        break;
      }
      long count = to.write(pending);
      if (count < 0) {
        onEnd(to);
        return;
      }
      blocked = count < pending.totalBytes();
      sender.written(count);
    }
    deliverAnswered();
  }

  // What comes in.

  @Override
  public boolean onPdu(MemorySegment s, long base, long data, int dataLength, boolean digestOk) {
    switch (Pdu.type(s, base)) {
      case Pdu.IC_RESP -> onInitialize(s, base);
      case Pdu.CAPSULE_RESP -> onCapsule(s, base);
      case Pdu.R2T -> onR2t(s, base);
      case Pdu.C2H_TERM_REQ ->
        fail(Status.PROTOCOL_ERROR, "the controller ends the connection: fatal error " + Pdu.fes(s, base)
            + ", information " + Long.toHexString(Pdu.fei(s, base)) + "h");
      default -> violation(Pdu.FES_INVALID_FIELD, 0, s, base, "unexpected " + Pdu.name(Pdu.type(s, base)));
    }
    return true;
  }

  private void onInitialize(MemorySegment s, long base) {
    int wanted = (parameters.headerDigest() ? Pdu.FLAG_HDGST : 0) | (parameters.dataDigest() ? Pdu.FLAG_DDGST : 0);
    if (Pdu.formatVersion(s, base) != 0) {
      violation(Pdu.FES_UNSUPPORTED, 8, s, base, "ICResp of format " + Pdu.formatVersion(s, base));
    } else if (Pdu.alignment(s, base) > MAX_ALIGNMENT) {
      violation(Pdu.FES_INVALID_FIELD, 10, s, base, "ICResp with CPDA " + Pdu.alignment(s, base));
    } else if (Pdu.digests(s, base) != wanted) {
      violation(Pdu.FES_INVALID_FIELD, 11, s, base,
          "digests " + wanted + " asked for, " + Pdu.digests(s, base) + " granted");
    } else if (Pdu.limit(s, base) < MIN_H2C_DATA) {
      violation(Pdu.FES_INVALID_FIELD, 12, s, base, "ICResp with MAXH2CDATA " + Pdu.limit(s, base));
    } else {
      reader.digests(parameters.headerDigest(), parameters.dataDigest());
      sender.limits(Pdu.alignment(s, base), Pdu.limit(s, base));
      events.onReady();
    }
  }

  private void onCapsule(MemorySegment s, long base) {
    long cqe = base + Pdu.COMMON_BYTES;
    HostTransfer transfer = find(Cqe.cid(s, cqe));
    if (transfer == null) {
      violation(Pdu.FES_INVALID_FIELD, 20, s, base,
          "response to command " + Cqe.cid(s, cqe) + ", which is not in flight");
      return;
    }
    int status = Cqe.status(s, cqe);
    HostCommand command = transfer.command;
    assert command != null;
    if (NvmeStatus.isSuccess(status)) {
      long moved = command.direction == HostCommand.Direction.IN ? transfer.receivedBytes : transfer.sentBytes;
      if (moved != command.dataBytes()) {
        violation(Pdu.FES_OUT_OF_RANGE, 0, s, base,
            command + " succeeded with " + moved + " of " + command.dataBytes() + " bytes");
        return;
      }
    }
    answer(transfer, Cqe.result(s, cqe), Cqe.sqhd(s, cqe), status);
  }

  private void onR2t(MemorySegment s, long base) {
    HostTransfer transfer = find(Pdu.cccid(s, base));
    HostCommand command = transfer == null ? null : transfer.command;
    if (transfer == null || command == null || command.direction != HostCommand.Direction.OUT) {
      violation(Pdu.FES_INVALID_FIELD, 8, s, base,
          "R2T for command " + Pdu.cccid(s, base) + ", which has no data to send");
      return;
    }
    long offset = Pdu.dataOffset(s, base);
    long length = Pdu.dataLength(s, base);
    if (transfer.queued) {
      violation(Pdu.FES_LIMIT_EXCEEDED, 0, s, base, "R2T for " + command + " before the last one was answered");
    } else if (length == 0 || offset != transfer.sentBytes || offset + length > command.dataBytes()) {
      violation(Pdu.FES_OUT_OF_RANGE, 12, s, base,
          "R2T for bytes " + offset + "+" + length + " of " + command + ", which has "
              + command.dataBytes() + " and sent " + transfer.sentBytes);
    } else {
      transfer.tag = Pdu.ttag(s, base);
      transfer.grantedBytes = offset + length;
      sender.add(transfer);
      deferFlush();
    }
  }

  @Override
  public @Nullable Sgl onData(MemorySegment s, long base) {
    HostTransfer transfer = find(Pdu.cccid(s, base));
    HostCommand command = transfer == null ? null : transfer.command;
    if (transfer == null || command == null || command.direction != HostCommand.Direction.IN) {
      violation(Pdu.FES_INVALID_FIELD, 8, s, base, "data for command " + Pdu.cccid(s, base) + ", which expects none");
      return null;
    }
    long offset = Pdu.dataOffset(s, base);
    long length = Pdu.dataLength(s, base);
    int flags = Pdu.flags(s, base);
    if (transfer.lastReceived || offset != transfer.receivedBytes || offset + length > command.dataBytes()) {
      violation(Pdu.FES_OUT_OF_RANGE, 12, s, base,
          "bytes " + offset + "+" + length + " for " + command + ", which expects "
              + command.dataBytes() + " and has " + transfer.receivedBytes);
      return null;
    }
    boolean success = (flags & Pdu.FLAG_SUCCESS) != 0;
    if (success && ((flags & Pdu.FLAG_LAST) == 0 || offset + length != command.dataBytes())) {
      violation(Pdu.FES_INVALID_FIELD, 1, s, base, "success before the last data of " + command);
      return null;
    }
    inbound = transfer;
    inboundBytes = length;
    inboundFlags = flags;
    return command.data;
  }

  @Override
  public void onDataEnd(boolean digestOk) {
    HostTransfer transfer = inbound;
    assert transfer != null;
    inbound = null;
    transfer.receivedBytes += inboundBytes;
    transfer.lastReceived = (inboundFlags & Pdu.FLAG_LAST) != 0;
    transfer.digestBad |= !digestOk;
    if ((inboundFlags & Pdu.FLAG_SUCCESS) != 0) {
      answer(transfer, 0, -1, NvmeStatus.SUCCESS);
    }
  }

  @Override
  public void onBad(int fes, long fei, MemorySegment s, long base, int length) {
    terminate(fes, fei, s, base, length, fes == Pdu.FES_HEADER_DIGEST
        ? "header digest"
        : Pdu.name(Pdu.type(s, base))
            + " has a bad header, error " + fes + " at " + fei);
  }

  /** The transfer of a command that is in flight, of which at least the capsule has been sent. */
  private @Nullable HostTransfer find(int cid) {
    HostCommand command = events.command(cid);
    if (command == null) {
      return null;
    }
    HostTransfer transfer = transfers[command.slot];
    return transfer.command == command && !transfer.capsulePending && !transfer.answered ? transfer : null;
  }

  private void answer(HostTransfer transfer, long result, int sqhd, int status) {
    transfer.answered = true;
    transfer.result = result;
    transfer.sqhd = sqhd;
    transfer.status = transfer.digestBad && NvmeStatus.isSuccess(status)
        ? NvmeStatus.TRANSIENT_TRANSPORT_ERROR
        : status;
    if (sender.needs(transfer)) {
      transfer.nextAnswered = answeredHead;
      answeredHead = transfer;
      deferFlush();
    } else {
      deliver(transfer);
    }
  }

  /** Delivers the answers that had to wait until their commands' memory was sent. */
  private void deliverAnswered() {
    if (answeredHead == null || closed) {
      return;
    }
    HostTransfer waiting = answeredHead;
    answeredHead = null;
    while (waiting != null && !closed) {
      HostTransfer transfer = waiting;
      waiting = transfer.nextAnswered;
      transfer.nextAnswered = null;
      if (sender.needs(transfer)) {
        transfer.nextAnswered = answeredHead;
        answeredHead = transfer;
      } else {
        deliver(transfer);
      }
    }
  }

  private void deliver(HostTransfer transfer) {
    HostCommand command = transfer.command;
    assert command != null;
    transfer.command = null;
    events.onResponse(command, transfer.result, transfer.sqhd, transfer.status);
  }

  // Ends.

  private void violation(int fes, long fei, MemorySegment s, long base, String text) {
    terminate(fes, fei, s, base, Pdu.hlen(s, base), text);
  }

  /** Tells the controller what it did wrong, and leaves. */
  private void terminate(int fes, long fei, MemorySegment s, long base, int length, String text) {
    StreamSocket to = socket;
    if (closed) {
      return;
    }
    if (to == null) {
      fail(Status.PROTOCOL_ERROR, text);
      return;
    }
    closed = true;
    reader.stop();
    Sgl message = sender.termReq(memory, fes, fei, s, base, length);
    farewell = new HostTcpFarewell(loop, to, message, memory, staging);
    farewell.onWritable();
    events.onFailed(Status.PROTOCOL_ERROR, text);
    // There may be bytes in the socket that nobody was told of again.
    loop.defer(farewell::onReadable);
  }

  private void fail(Status reason, String text) {
    if (!closed) {
      close(true);
      events.onFailed(reason, text);
    }
  }
}
