package io.remora.bench.iwarp;

import io.remora.base.Loop;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One end of a plain stream: sends or receives so many bytes, buffer after buffer. Belongs to its loop. */
final class StreamEnd implements StreamSocket.Handler {
  /** What one end reads before other work of its loop has its turn, as iWARP does, in bytes. */
  private static final long TURN_BYTES = 512 << 10;

  private final MemorySegment memory;
  private final int bytes;
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

  /** With as many buffers of {@code bytes} as there are operations at once. */
  StreamEnd(Loop loop, int bytes) {
    this.bytes = bytes;
    this.memory = loop.newArena().allocate((long) bytes * Work.DEPTH, 4096);
    this.readOn = loop.timer(this::onReadable);
  }

  void use(StreamSocket stream) {
    socket = stream;
  }

  /** Ends when the connection stands. */
  CompletableFuture<Void> connected() {
    return connected;
  }

  /** The first buffer: what a message of at most its length is in. */
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
      long count = from.read(memory, receiveAt, Math.min(bytes, toReceive));
      if (count <= 0) {
        return;
      }
      budget -= count;
      toReceive -= count;
      receiveAt = receiveAt + bytes == memory.byteSize() ? 0 : receiveAt + bytes;
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
        unsent.add(memory, sendAt, Math.min(bytes, toSend));
        sendAt = sendAt + bytes == memory.byteSize() ? 0 : sendAt + bytes;
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

  @Override
  public void onClosed(Status reason) {
    connected.completeExceptionally(new IllegalStateException("no stream: " + reason.text()));
  }
}
