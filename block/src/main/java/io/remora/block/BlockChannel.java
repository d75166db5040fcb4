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
   * Lends the device's own memory of the range of {@code request}, a READ or a WRITE that is prepared and is <em>not</em> submitted: puts that memory into its list, so that data can be moved without another copy. A
   * read is done with that: the memory holds the data. A write is done when the caller has filled all of the memory.
   *
   * <p>The memory is there as long as the list names it, whatever becomes of the device and the channel. Others see it: what was read changes when somebody writes there, and a block that is being filled shows
   * as it is. So it is for those alone who copy at once, without letting others on this loop come between the halves of a block.
   *
   * @return false when it lends nothing, for whatever reason: the list is as it was, and {@link #submit} does it
   */
  default boolean lend(IoRequest request) {
    return false;
  }

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
