package io.remora.bench.iwarp;

import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One end of a plain stream: sends or receives so many bytes, through all of its memory and again from the start, so that it moves as much memory through the caches as iWARP's ends do. Belongs to its
 * loop.
 */
final class StreamEnd implements StreamSocket.Handler {
  /** What one end reads before other work of its loop has its turn, as iWARP does, in bytes. */
  private static final long TURN_BYTES = 512 << 10;

  private final MemorySegment memory;
  /** What one call gives to the kernel, or has room for, at most. */
  private final long callBytes;
  private final Sgl unsent = new Sgl();
  private final Timer readOn;
  private final CompletableFuture<Void> connected = new CompletableFuture<>();
  private @Nullable StreamSocket socket;
  private long toSend;
  private long toReceive;
  private long sendAt;
  private long receiveAt;
  private Runnable onSent = () -> {};
  private Runnable onReceived = () -> {};

  /** With as much memory as the operations of {@code work} have. */
  StreamEnd(Loop loop, Work work) {
    this.memory = loop.newArena().allocate((long) work.bytes() * Work.DEPTH, 4096);
    this.callBytes = work.callBytes();
    this.readOn = loop.timer(this::onReadable);
  }

  void use(StreamSocket stream) {
    socket = stream;
  }

  /** Ends when the connection stands. */
  CompletableFuture<Void> connected() {
    return connected;
  }

  /** All of it; a message sent or received begins at its start. */
  MemorySegment memory() {
    return memory;
  }

  /** Sends {@code length} bytes, then does {@code next}. */
  void send(long length, Runnable next) {
    toSend = length;
    sendAt = 0;
    onSent = next;
    onWritable();
  }

  /** Receives {@code length} bytes, then does {@code next}. */
  void receive(long length, Runnable next) {
    toReceive = length;
    receiveAt = 0;
    onReceived = next;
    onReadable();
  }

  @Override
  public void onConnected() {
    connected.complete(null);
  }

  @Override
  public void onReadable() {
    StreamSocket from = socket;
    long budget = TURN_BYTES;
    while (from != null && toReceive > 0) {
      if (budget <= 0) {
        readOn.arm(0);
        return;
      }
      long count = from.read(memory, receiveAt, call(receiveAt, toReceive));
      if (count <= 0) {
        return;
      }
      budget -= count;
      toReceive -= count;
      receiveAt = after(receiveAt, count);
      if (toReceive == 0) {
        onReceived.run();
      }
    }
  }

  @Override
  public void onWritable() {
    StreamSocket to = socket;
    while (to != null && toSend > 0) {
      if (unsent.totalBytes() == 0) {
        long length = call(sendAt, toSend);
        unsent.add(memory, sendAt, length);
        sendAt = after(sendAt, length);
      }
      long count = to.write(unsent);
      if (count < 0) {
        return;
      }
      unsent.consume(count);
      toSend -= count;
      if (unsent.totalBytes() > 0) {
        return;
      }
      if (toSend == 0) {
        onSent.run();
      }
    }
  }

  /** How much is moved by a call that begins at {@code at}. */
  private long call(long at, long left) {
    return Math.min(Math.min(callBytes, memory.byteSize() - at), left);
  }

  private long after(long at, long count) {
    return at + count == memory.byteSize() ? 0 : at + count;
  }

  @Override
  public void onClosed(Status reason) {
    connected.completeExceptionally(new IllegalStateException("no stream: " + reason.text()));
  }
}
