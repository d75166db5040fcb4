package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.CheckedChannel;
import io.remora.block.CompletionQueue;
import io.remora.block.Emulator;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A volume's channel on another loop than the pool's: requests go over in a batch, one wake-up each, and come back the same way.
 *
 * <p>The two sides share two stacks of requests, linked through the requests themselves; a request belongs to the channel's loop,
 * then to the pool's, then to the channel's again, and each handover is a compare-and-set. What is in flight bounds them.
 */
final class RemoteChannel extends CheckedChannel implements VolumeIo.Sink {
  private final Volume volume;
  private final Loop owner;
  private final AtomicReference<@Nullable IoRequest> there = new AtomicReference<>();
  private final AtomicReference<@Nullable IoRequest> back = new AtomicReference<>();
  private final Runnable arrive = this::arrive;
  private final Runnable comeBack = this::comeBack;
  private final Runnable flushOut = this::flushOut;
  /** On the channel's loop: what was submitted in this turn, newest first. */
  private @Nullable IoRequest out;
  private final VolumeIo.Sink readSink = this::readEnded;
  /** On the pool's loop. */
  private final CompletionQueue inside;
  private final Emulator compare;

  RemoteChannel(Volume volume, Loop loop) {
    super(volume, loop);
    this.volume = volume;
    this.owner = volume.pool().loop();
    this.inside = new CompletionQueue(owner);
    this.compare = new Emulator(this::startRead, this::sendBack);
  }

  @Override
  protected void execute(IoRequest request) {
    if (out == null) {
      loop().defer(flushOut);
    }
    request.link = out;
    out = request;
  }

  private void flushOut() {
    IoRequest first = out;
    out = null;
    boolean wake = false;
    for (IoRequest request = reversed(first); request != null;) {
      IoRequest next = request.link;
      wake |= push(there, request);
      request = next;
    }
    if (wake) {
      try {
        owner.execute(arrive);
      } catch (RemoraException e) {
        // The pool's loop has been closed.
        for (IoRequest request = reversed(there.getAndSet(null)); request != null;) {
          IoRequest next = request.link;
          finish(request, Status.ABORTED);
          request = next;
        }
      }
    }
  }

  /** On the pool's loop. */
  private void arrive() {
    for (IoRequest request = reversed(there.getAndSet(null)); request != null;) {
      IoRequest next = request.link;
      request.link = null;
      if (request.op == Op.COMPARE) {
        compare.start(request);
      } else {
        volume.start(request, this);
      }
      request = next;
    }
  }

  private void startRead(IoRequest read) {
    read.begin();
    volume.start(read, readSink);
  }

  private void readEnded(IoRequest read, Status status, boolean within) {
    if (within) {
      inside.add(read, status);
    } else {
      read.complete(status);
    }
  }

  @Override
  public void ended(IoRequest request, Status status, boolean within) {
    sendBack(request, status);
  }

  private void sendBack(IoRequest request, Status status) {
    request.status = status;
    if (push(back, request)) {
      try {
        loop().execute(comeBack);
      } catch (RemoraException e) {
        // The channel's loop has been closed, and nobody waits there any more.
        back.set(null);
      }
    }
  }

  /** On the channel's loop. */
  private void comeBack() {
    for (IoRequest request = reversed(back.getAndSet(null)); request != null;) {
      IoRequest next = request.link;
      finish(request, request.status);
      request = next;
    }
  }

  /** Returns whether the stack was empty. */
  private static boolean push(AtomicReference<@Nullable IoRequest> stack, IoRequest request) {
    while (true) {
      IoRequest top = stack.get();
      request.link = top;
      if (stack.compareAndSet(top, request)) {
        return top == null;
      }
    }
  }

  private static @Nullable IoRequest reversed(@Nullable IoRequest stack) {
    IoRequest result = null;
    for (IoRequest request = stack; request != null;) {
      IoRequest next = request.link;
      request.link = result;
      result = request;
      request = next;
    }
    return result;
  }

  @Override
  protected void onClose() {
    volume.channelClosed();
  }
}
