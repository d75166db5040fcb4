package io.remora.block;

import io.remora.base.BufferPool;
import io.remora.base.IoRequest;
import io.remora.base.Loop;

/**
 * Does I/O on one {@link BlockDevice} from one loop; all calls on that loop's thread.
 *
 * <p>Requests may complete in any order, never inside {@link #submit}. A request whose range overlaps another one in flight
 * sees that one done or not done, per block. Ranges and alignment are checked here: what does not fit completes with
 * {@link io.remora.base.Status#INVALID} or {@link io.remora.base.Status#OUT_OF_RANGE}.
 */
public interface BlockChannel extends AutoCloseable {
  /** The device below. */
  BlockDevice device();

  /** The loop that owns it. */
  Loop loop();

  /** Starts an operation; the request and its memory belong to the channel until the completion. */
  void submit(IoRequest request);

  /**
   * Requests will have their data in buffers of {@code pool}, which belongs to the channel's loop: a device that can then spare copies, as one behind RDMA, makes the pool's memory known to what carries the
   * data. Requests with data elsewhere stay as good as before. Until {@link #forget}.
   *
   * @throws io.remora.base.RemoraException NO_RESOURCES when that memory cannot be made known, for instance because it is too much; nothing has changed then
   */
  default void use(BufferPool pool) {}

  /** Undoes one {@link #use}, before the pool is closed; no request with data in the pool is in flight. */
  default void forget(BufferPool pool) {}

  /** Gives the channel back. Requests in flight still complete; later ones complete with ABORTED. */
  @Override
  void close();
}
