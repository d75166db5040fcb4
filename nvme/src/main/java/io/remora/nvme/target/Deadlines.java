package io.remora.nvme.target;

import io.remora.base.Timer;

/**
 * The deadlines of one connection, one at a time: to come to Connect; then for the peer, to take some of what waits to be sent and to bring some of what it was asked for; at last to let the connection end. Who
 * misses one loses the connection. For transports; belongs to the connection's loop.
 *
 * <p>Progress is looked at once per period and only while something is waited for, so it costs a busy connection nothing; a stall is noticed after one to two periods.
 */
public final class Deadlines {
  /** How far a connection is; asked on its loop. */
  public interface Progress {
    /** Whether something waits to be taken by the peer. */
    boolean sending();

    /** How much the peer has taken, in bytes. */
    long sentBytes();

    /** Whether something was asked of the peer and has not come. */
    boolean fetching();

    /** How much of such data has come, in bytes. */
    long fetchedBytes();
  }

  /** How long a connection may take to end, in nanoseconds. */
  private static final long END_NS = 3_000_000_000L;
  /** See {@link #leastBytes}. */
  private static final long LEAST_BYTES = 1 << 20;

  private final LoopContext context;
  private final QueuePair queue;
  private final Transport transport;
  private final Progress progress;
  private final Timer timer;
  private final long periodNs;
  private boolean ending;
  private boolean wasSending;
  private boolean wasFetching;
  private long sent;
  private long fetched;

  /** Of the connection {@code transport}, which carries {@code queue}; none runs yet. */
  public Deadlines(LoopContext context, QueuePair queue, Transport transport, Progress progress) {
    this.context = context;
    this.queue = queue;
    this.transport = transport;
    this.progress = progress;
    this.timer = context.loop().timer(this::passed);
    this.periodNs = context.target().config().stallTimeoutNs();
  }

  /** The host is to come to Connect. */
  public void awaitConnect() {
    timer.arm(context.target().config().connectTimeoutNs());
  }

  /** It has come. */
  public void connected() {
    timer.cancel();
  }

  /** Something is waited for, if nothing was before. */
  public void watch() {
    if (!timer.armed()) {
      wasSending = progress.sending();
      wasFetching = progress.fetching();
      sent = progress.sentBytes();
      fetched = progress.fetchedBytes();
      timer.arm(periodNs);
    }
  }

  /** The connection is to end, whatever was waited for. */
  public void awaitEnd() {
    ending = true;
    timer.arm(END_NS);
  }

  /** The connection has ended. */
  public void cancel() {
    timer.cancel();
  }

  private void passed() {
    if (ending) {
      transport.drop("the peer does not let the connection end");
    } else if (!queue.live()) {
      transport.terminate("no Connect in time");
    } else if (stalled()) {
      transport.drop("the peer stands still: it takes nothing, or does not bring what it was asked for");
    } else if (progress.sending() || progress.fetching()) {
      watch();
    }
  }

  /** Whether what was waited for a period ago is waited for still and has moved too little. */
  private boolean stalled() {
    long least = leastBytes();
    return (wasSending && progress.sending() && progress.sentBytes() - sent < least)
        || (wasFetching && progress.fetching() && progress.fetchedBytes() - fetched < least);
  }

  /** What a peer must move in a period: anything; and when others wait for memory, as much as its commands hold, up to a bound. */
  private long leastBytes() {
    return context.memoryIsShort() ? Math.clamp(queue.usedBytes(), 1, LEAST_BYTES) : 1;
  }
}
