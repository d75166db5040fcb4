package io.remora.nvme.host;

import io.remora.base.Status;
import org.jspecify.annotations.Nullable;

/**
 * A connection that carries one queue: commands one way, responses the other, data both. Lives on one loop.
 *
 * <p>It sees to it that what reaches {@link Events} is right: a response answers a command that is in flight; a read that
 * succeeded has all its data in place, a write that succeeded was sent in full; and no memory of a command is touched after its
 * response was delivered or the link was closed.
 */
public interface HostLink {
  /** What happens on a link, on its loop. */
  interface Events {
    /** Commands may be sent. */
    void onReady();

    /** The command in flight with the identifier {@code cid}; null when there is none. */
    @Nullable
    HostCommand command(int cid);

    /**
     * A command has been answered. May send further commands.
     *
     * @param result the completion's eight bytes
     * @param sqhd how far the controller has consumed the submission queue; -1 when it did not say
     * @param status as in {@link io.remora.nvme.NvmeStatus}
     */
    void onResponse(HostCommand command, long result, int sqhd, int status);

    /**
     * The link is dead: closed by the peer, broken, or the peer broke the protocol ({@link Status#PROTOCOL_ERROR}). The last
     * event. Commands in flight may or may not have been carried out.
     */
    void onFailed(Status reason, String text);
  }

  /**
   * Sends a command; the command and its memory belong to the link until its response or {@link #close}. What is sent in one
   * turn of the loop leaves together.
   */
  void send(HostCommand command);

  /**
   * Ends the link; there are no events any more. Idempotent.
   *
   * @param abruptly what has not left this machine yet shall not reach the controller
   */
  void close(boolean abruptly);
}
