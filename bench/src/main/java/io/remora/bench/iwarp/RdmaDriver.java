package io.remora.bench.iwarp;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.remora.base.Check;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.verbs.CmId;
import io.remora.verbs.QueuePairType;
import io.remora.verbs.SendRequest;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Drives RDMA: writes to, or reads from, the other end's memory, with a message and its answer after the writes. Belongs to its loop. */
final class RdmaDriver extends RdmaEnd implements Driver {
  private final Loop loop;
  private final Work work;
  private final CmId id;
  private long address;
  private int key;
  private long toBegin;
  private int underWay;
  private long beganNs;
  private @Nullable CompletableFuture<Long> moved;

  /** On the loop. */
  RdmaDriver(Loop loop, Work work, InetSocketAddress server) {
    super(loop, work);
    this.loop = loop;
    this.work = work;
    this.id = context().connectionManager().resolve(server, QueuePairType.RC, this);
  }

  @Override
  public void onResolved() {
    prepare(id);
    id.connect(CmId.Parameters.DEFAULT);
  }

  @Override
  public void onEstablished(CmId.Established connection) {
    MemorySegment offer = connection.privateData();
    address = offer.get(JAVA_LONG_UNALIGNED, 0);
    key = (int) offer.get(JAVA_LONG_UNALIGNED, 8);
    super.onEstablished(connection);
  }

  @Override
  public void onFailed(Status reason, String text) {
    super.onFailed(reason, text);
    CompletableFuture<Long> waiting = moved;
    if (waiting != null) {
      waiting.completeExceptionally(new IllegalStateException(reason + " " + text));
    }
  }

  @Override
  public CompletableFuture<Long> move(long bytes) {
    CompletableFuture<Long> result = new CompletableFuture<>();
    loop.execute(() -> {
      Check.that(bytes % work.bytes() == 0, "%d bytes in pieces of %d", bytes, work.bytes());
      moved = result;
      toBegin = bytes / work.bytes();
      beganNs = loop.clock().nanoTime();
      for (int i = 0; i < Work.DEPTH && toBegin > 0; i++) {
        begin(i);
      }
    });
    return result;
  }

  private void begin(int slot) {
    toBegin--;
    underWay++;
    long offset = (long) slot * work.bytes();
    SendRequest request = request(slot).piece(region(), offset, work.bytes());
    post(work.direction() == Work.Direction.WRITE
        ? request.write(address + offset, key)
        : request.read(address + offset, key));
  }

  @Override
  void onOperation(int slot) {
    underWay--;
    if (toBegin > 0) {
      begin(slot);
    } else if (underWay == 0) {
      if (work.direction() == Work.Direction.WRITE) {
        message();
      } else {
        ended();
      }
    }
  }

  @Override
  void onMessage() {
    ended();
  }

  private void ended() {
    CompletableFuture<Long> waiting = moved;
    if (waiting != null) {
      waiting.complete(loop.clock().nanoTime() - beganNs);
    }
  }
}
