package io.remora.verbs;

/**
 * Where the ends of work requests show ({@code ibv_cq}). Belongs to its context's loop.
 *
 * <p>To wait without polling: {@link #requestNotify}, then poll again until nothing comes, then return to the loop; the event handler runs once for
 * each request. While the loop spins that costs no system call.
 *
 * <p>It must be large enough for all requests of its queue pairs: when it overflows, its queue pairs fail, with {@link AsyncEvent.Kind#COMPLETION_QUEUE_ERROR}.
 */
public interface CompletionQueue extends AutoCloseable {
  /** How many completions it holds. */
  int entries();

  /** Replaces what {@code into} holds by what has completed, as much as there is room for, and returns how many that are. */
  int poll(WorkCompletions into);

  /**
   * The event handler runs once, on the loop, when something completes after this call. With {@code solicitedOnly} it may run for another message once, when the device had been armed for any: whether
   * that one was solicited only the device knows.
   *
   * @param solicitedOnly only for messages that were sent {@linkplain SendRequest#solicited solicited}, and failures; needs {@link Capability#SOLICITED_EVENTS}
   */
  void requestNotify(boolean solicitedOnly);

  /** Frees it. Refuses ({@link io.remora.base.Status#BUSY}) while queue pairs use it. Idempotent. */
  @Override
  void close();
}
