package io.remora.block;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import org.jspecify.annotations.Nullable;

/**
 * Requests that have ended inside of {@code submit} and are completed at the end of the loop's turn. Belongs to one loop;
 * allocates nothing. Its length is bounded by what its users have in flight, since the requests themselves are the queue.
 */
public final class CompletionQueue {
  private final Loop loop;
  private final Runnable drain = this::drain;
  private @Nullable IoRequest head;
  private @Nullable IoRequest tail;
  private boolean deferred;

  /** An empty queue of {@code loop}. */
  public CompletionQueue(Loop loop) {
    this.loop = loop;
  }

  /** Completes {@code request} with {@code status} later in this turn. */
  public void add(IoRequest request, Status status) {
    request.status = status;
    request.link = null;
    IoRequest last = tail;
    if (last == null) {
      head = request;
    } else {
      last.link = request;
    }
    tail = request;
    defer();
  }

  private void defer() {
    if (!deferred) {
      deferred = true;
      loop.defer(drain);
    }
  }

  /** Completes what is in the queue now; what the completions add comes in the next round, so that others get their turn. */
  private void drain() {
    deferred = false;
    IoRequest last = tail;
    try {
      boolean more = true;
      while (more) {
        IoRequest request = head;
        if (request == null) {
          return;
        }
        more = request != last;
        head = request.link;
        if (head == null) {
          tail = null;
        }
        request.link = null;
        request.complete(request.status);
      }
    } finally {
      if (head != null) {
        defer();
      }
    }
  }
}
