package io.remora.verbs;

import io.remora.base.Status;

/** Receives for several queue pairs ({@code ibv_srq}). Belongs to its context's loop. */
public interface SharedReceiveQueue extends AutoCloseable {
  /** Posts a receive: {@link Status#OK}, {@link Status#NO_RESOURCES} when it is full, {@link Status#INVALID} for too many pieces or memory of another domain. */
  Status postReceive(ReceiveRequest request);

  /** When fewer than {@code receives} are left there is one {@link AsyncEvent.Kind#SHARED_RECEIVE_QUEUE_LIMIT}; 0: none. To be said again after each. */
  void limit(int receives);

  /** Frees it and the receives in it. Refuses ({@link Status#BUSY}) while queue pairs use it. Idempotent. */
  @Override
  void close();
}
