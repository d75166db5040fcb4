package io.remora.base;

/**
 * What one process rings to wake a loop of another: an eventfd, whose descriptor goes to the other process with a message of a {@link LocalSocket}. Belongs to one loop.
 *
 * <p>The loop that {@linkplain Local#newDoorbell made} it wakes at every ring and is told nothing more. It never reads the eventfd and never writes to it, so nothing that the other process does with it can
 * stop that loop. A ring before the loop sleeps is not lost: the loop does not sleep then.
 */
public interface Doorbell extends AutoCloseable {
  /** To be sent to who shall ring; open until {@link #close}. */
  int descriptor();

  /**
   * Wakes the loop that made it; when that loop is already to wake, nothing more happens. Does not tell whether anybody hears it.
   *
   * <p>Does not block, unless the other process has made the eventfd blocking and has filled it, which both of those who have an eventfd can do, and nothing that the kernel offers prevents.
   */
  void ring();

  /** Closes this end's descriptor; the other end notices nothing. Idempotent. */
  @Override
  void close();
}
