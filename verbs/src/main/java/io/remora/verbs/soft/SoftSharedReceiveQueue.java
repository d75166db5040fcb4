package io.remora.verbs.soft;

import io.remora.base.Check;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.verbs.AsyncEvent;
import io.remora.verbs.ReceiveRequest;
import io.remora.verbs.SharedReceiveQueue;
import java.util.ArrayList;
import java.util.List;

/** A shared receive queue in software. Belongs to its context's loop. */
public final class SoftSharedReceiveQueue implements SharedReceiveQueue {
  private final SoftProtectionDomain domain;
  private final ReceiveQueue queue;
  private final int maxRequests;
  private final List<SoftQueuePair> users = new ArrayList<>();
  private int limit;
  private boolean closed;

  SoftSharedReceiveQueue(SoftProtectionDomain domain, int maxRequests, int maxPieces) {
    this.domain = domain;
    this.maxRequests = maxRequests;
    this.queue = new ReceiveQueue(domain, maxRequests, maxPieces);
    domain.opened("shared receive queue");
  }

  SoftProtectionDomain domain() {
    return domain;
  }

  ReceiveQueue queue() {
    return queue;
  }

  @Override
  public Status postReceive(ReceiveRequest request) {
    if (closed) {
      return Status.INVALID;
    }
    Status status = queue.post(request);
    if (status.isOk()) {
      for (int i = 0; i < users.size(); i++) {
        users.get(i).onReceivePosted();
      }
    }
    return status;
  }

  @Override
  public void limit(int receives) {
    Check.argument(receives >= 0 && receives <= maxRequests, "limit %d: 0 to %d", receives, maxRequests);
    limit = receives;
  }

  /** A receive was taken. */
  void taken() {
    if (limit > 0 && queue.count() < limit) {
      limit = 0;
      domain.context().raise(new AsyncEvent(AsyncEvent.Kind.SHARED_RECEIVE_QUEUE_LIMIT, null,
          "a shared receive queue has " + queue.count() + " receives left"));
    }
  }

  void addUser(SoftQueuePair user) {
    if (closed || user.domain().context() != domain.context()) {
      throw new RemoraException(Status.INVALID, "the shared receive queue is closed, or another context's");
    }
    users.add(user);
  }

  void removeUser(SoftQueuePair user) {
    users.remove(user);
  }

  @Override
  public void close() {
    if (!closed) {
      if (!users.isEmpty()) {
        throw new RemoraException(Status.BUSY,
            "shared receive queue: " + users.size() + " queue pairs use it; close them first");
      }
      closed = true;
      domain.closed("shared receive queue");
    }
  }
}
