package io.remora.nvme.tcp;

import io.remora.base.StreamSocket;
import io.remora.nvme.target.LoopContext;
import io.remora.nvme.target.QueuePair;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Sends what a connection of the target has to send: everything that a turn has produced with one call at the turn's end, or sooner when it is much. A slot is free when its answer is sent. Belongs to
 * the connection's loop.
 *
 * <p>Invariants: nothing is sent before ICReq says how; a socket that takes no more is offered nothing until it is writable.
 */
final class TargetSender {
  /** Hears how far sending is. */
  interface Handler {
    /** The socket takes no more for now. */
    void onBlocked();

    /** Everything is sent. */
    void onAllSent();

    /** The peer is gone. */
    void onGone();
  }

  /** So many unsent bytes do not wait for the end of the turn. */
  private static final int BATCH_BYTES = 64 << 10;

  private final LoopContext context;
  private final StreamSocket socket;
  private final QueuePair queue;
  private final TargetSlots slots;
  private final Handler handler;
  private final Runnable flushTask = this::flush;
  private @Nullable TargetOutput output;
  private boolean flushDue;
  private boolean blocked;
  private boolean stopped;

  TargetSender(LoopContext context, StreamSocket socket, QueuePair queue, TargetSlots slots, Handler handler) {
    this.context = context;
    this.socket = socket;
    this.queue = queue;
    this.slots = slots;
    this.handler = handler;
  }

  /** Can send from now on, with data aligned as for {@link TargetOutput#open}; false when there is no memory for it. */
  boolean open(int alignment) {
    output = TargetOutput.open(context, alignment);
    return output != null;
  }

  /** Whether {@link #open} has succeeded. */
  boolean isOpen() {
    return output != null;
  }

  /** Whether the socket takes no more for now. */
  boolean blocked() {
    return blocked;
  }

  /** How much was sent so far, in bytes. */
  long sentBytes() {
    return out().sent();
  }

  /** ICResp, as {@link TargetOutput#initialize}. */
  void initialize(int digests, int maxTransferBytes) {
    out().initialize(digests, maxTransferBytes);
    flushLater();
  }

  /** One R2T for everything: what hosts must take, and the least work for both. */
  void requestData(TargetCommand command) {
    out().requestData(command);
    flushLater();
  }

  /** Data of {@code command}, if it has any for the host, and its response; then its slot is free. */
  void respond(TargetCommand command) {
    TargetOutput out = out();
    boolean inData = false;
    if (command.sendsData()) {
      inData = !queue.flowControl() && command.result() == 0;
      out.sendData(command, inData);
    }
    if (!inData) {
      out.respond(command.cid(), command.result(), queue.sqhd(command), command.status());
    }
    flushLater();
    slots.awaitSent(command, out.queued());
    if (out.queued() - out.sent() >= BATCH_BYTES) {
      // The host takes these while the rest of the turn's answers come about.
      sendQueued();
    }
  }

  /** The response to a command for which there is no slot. */
  void refuse(int cid, int status) {
    out().respond(cid, 0, 0, status);
    flushLater();
  }

  /** C2HTermReq, as {@link TargetOutput#terminate}. */
  void terminate(int fes, long fei, MemorySegment s, long base, int length) {
    out().terminate(fes, fei, s, base, length);
    flushLater();
  }

  private TargetOutput out() {
    TargetOutput out = output;
    if (out == null) {
      throw new IllegalStateException("nothing can be sent before ICReq");
    }
    return out;
  }

  /** Sends at the end of this turn; {@link Handler#onAllSent} comes even when there is nothing to send. */
  void flushLater() {
    if (!flushDue) {
      flushDue = true;
      context.loop().defer(flushTask);
    }
  }

  /** The socket takes data again. */
  void onWritable() {
    blocked = false;
    flush();
  }

  private void flush() {
    flushDue = false;
    sendQueued();
  }

  private void sendQueued() {
    TargetOutput out = output;
    if (blocked || out == null || stopped) {
      return;
    }
    if (!out.isEmpty() && !out.send(socket)) {
      handler.onGone();
      return;
    }
    // Looked at first: what is released lets waiting commands go on, which queue more.
    blocked = !out.isEmpty();
    slots.releaseSent(out.sent());
    if (blocked) {
      handler.onBlocked();
    } else {
      handler.onAllSent();
    }
  }

  /** Sends nothing any more. */
  void stop() {
    stopped = true;
  }

  /** Gives its memory back; the socket is closed. */
  void free() {
    stopped = true;
    TargetOutput out = output;
    if (out != null) {
      output = null;
      out.free();
    }
  }
}
