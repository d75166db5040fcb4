package io.remora.bench.iwarp;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.remora.base.Loop;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;

/** Drives a plain stream: 8 bytes say how much is to be moved, which the other end answers with 8 bytes when it has received that, or with so many bytes. Belongs to its loop. */
final class StreamDriver implements Driver {
  static final long WORD = 8;

  private final Loop loop;
  private final Work work;
  private final StreamEnd end;

  /** On the loop. */
  StreamDriver(Loop loop, Work work, InetSocketAddress server) {
    this.loop = loop;
    this.work = work;
    this.end = new StreamEnd(loop, work);
    end.use(loop.net().connect(server, end));
  }

  @Override
  public CompletableFuture<Void> connected() {
    return end.connected();
  }

  @Override
  public CompletableFuture<Long> move(long bytes) {
    CompletableFuture<Long> moved = new CompletableFuture<>();
    loop.execute(() -> {
      long began = loop.clock().nanoTime();
      Runnable ended = () -> moved.complete(loop.clock().nanoTime() - began);
      end.memory().set(JAVA_LONG, 0, bytes);
      if (work.direction() == Work.Direction.READ) {
        end.send(WORD, () -> end.receive(bytes, ended));
      } else {
        end.send(WORD, () -> end.send(bytes, () -> end.receive(WORD, ended)));
      }
    });
    return moved;
  }
}
