package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import org.jspecify.annotations.Nullable;

/**
 * A channel for a loop that has no I/O queue of its own: each request goes to the loop of a queue and comes back. Belongs to the
 * loop that opened it; a {@link Hop} belongs to one loop at a time.
 */
final class HopChannel implements BlockChannel {
  /** A request on its way; reused. */
  private final class Hop implements Runnable {
    private final IoRequest there = new IoRequest(this::completed);
    private @Nullable IoRequest request;
    private boolean returning;
    private @Nullable Hop next;

    @Override
    public void run() {
      IoRequest mine = request;
      assert mine != null;
      if (returning) {
        request = null;
        next = free;
        free = this;
        there.sgl.clear();
        mine.complete(there.status);
        return;
      }
      there.prepare(mine.op, mine.offset, mine.length);
      there.fua = mine.fua;
      there.sgl.addRange(mine.sgl, 0, mine.sgl.totalBytes());
      below.submit(there);
    }

    private void completed(IoRequest done) {
      returning = true;
      loop.execute(this);
    }
  }

  private final Loop loop;
  private final BlockChannel below;
  private final Runnable rejectTask = this::reject;
  private @Nullable Hop free;
  private @Nullable IoRequest rejected;
  private boolean closed;

  HopChannel(Loop loop, BlockChannel below) {
    this.loop = loop;
    this.below = below;
  }

  @Override
  public BlockDevice device() {
    return below.device();
  }

  @Override
  public Loop loop() {
    return loop;
  }

  @Override
  public void submit(IoRequest request) {
    request.begin();
    if (closed) {
      request.link = rejected;
      rejected = request;
      loop.defer(rejectTask);
      return;
    }
    Hop hop = free;
    if (hop == null) {
      hop = new Hop();
    } else {
      free = hop.next;
    }
    hop.next = null;
    hop.request = request;
    hop.returning = false;
    below.loop().execute(hop);
  }

  private void reject() {
    while (rejected != null) {
      IoRequest request = rejected;
      rejected = request.link;
      request.link = null;
      request.complete(Status.ABORTED);
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      below.loop().execute(below::close);
    }
  }
}
