package io.remora.block;

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

  /** Gives the channel back. Requests in flight still complete; later ones complete with ABORTED. */
  @Override
  void close();
}
