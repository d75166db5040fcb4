package io.remora.block.pool;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The way from a channel's loop to the pool's and back: requests go over in a batch, one wake-up each, and come back the same way.
 *
 * <p>The two sides share two stacks of requests, linked through the requests themselves; a request belongs to the channel's loop,
 * then to the pool's, then to the channel's again, and each handover is a compare-and-set. What is in flight bounds them.
 */
final class HandOver implements VolumeIo.Sink {
  /** Hears on the channel's loop that a request is back. */
  interface Back {
    /** {@code request} is to be completed with {@code status}. */
    void finish(IoRequest request, Status status);
  }

  private final Volume volume;
  private final Loop loop;
  private final Loop owner;
  private final Back channel;
  private final AtomicReference<@Nullable IoRequest> there = new AtomicReference<>();
  private final AtomicReference<@Nullable IoRequest> back = new AtomicReference<>();
  private final Runnable arrive = this::arrive;
  private final Runnable comeBack = this::comeBack;
  private final Runnable flushOut = this::flushOut;
  /** On the channel's loop: what was submitted in this turn, newest first. */
  private @Nullable IoRequest out;

  HandOver(Volume volume, Loop loop, Back channel) {
    this.volume = volume;
    this.loop = loop;
    this.owner = volume.pool().loop();
    this.channel = channel;
  }

  /** Hands {@code request}, which has begun and is no COMPARE, over at the end of this turn. On the channel's loop. */
  void send(IoRequest request) {
    if (out == null) {
      loop.defer(flushOut);
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
    if (wake && !run(owner, arrive)) {
      for (IoRequest request = reversed(there.getAndSet(null)); request != null;) {
        IoRequest next = request.link;
        channel.finish(request, Status.ABORTED);
        request = next;
      }
    }
  }

  /** On the pool's loop. */
  private void arrive() {
    for (IoRequest request = reversed(there.getAndSet(null)); request != null;) {
      IoRequest next = request.link;
      request.link = null;
      volume.start(request, this);
      request = next;
    }
  }

  @Override
  public void ended(IoRequest request, Status status, boolean within) {
    request.status = status;
    if (push(back, request) && !run(loop, comeBack)) {
      // Nobody waits there any more.
      back.set(null);
    }
  }

  /** On the channel's loop. */
  private void comeBack() {
    for (IoRequest request = reversed(back.getAndSet(null)); request != null;) {
      IoRequest next = request.link;
      channel.finish(request, request.status);
      request = next;
    }
  }

  /** False when {@code on} has been closed. */
  private static boolean run(Loop on, Runnable task) {
    try {
      on.execute(task);
      return true;
    } catch (RemoraException e) {
      return false;
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
}
