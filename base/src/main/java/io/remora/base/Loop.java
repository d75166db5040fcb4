package io.remora.base;

import java.lang.foreign.Arena;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/**
 * A single-threaded event loop: tasks, timers, sockets, disks. Every mutable object of the lower floors belongs to exactly
 * one loop, and only that loop's thread touches it. Unless a method says otherwise, call it on the loop's thread.
 *
 * <p>One turn of the loop: events of sockets and disks, timers that are due, tasks of other threads, then what was
 * {@linkplain #defer deferred}; then it spins for a bounded time or sleeps in the kernel. A task that throws does not end
 * the loop: the exception goes to the loop's error handler (which ends a simulation, and is logged otherwise).
 */
public interface Loop extends Executor {
  /** For people and logs, for example {@code data-0}. From any thread. */
  String name();

  /** Whether the calling thread is this loop's. From any thread. */
  boolean inLoop();

  /** This loop's time. From any thread. */
  Clock clock();

  /** This loop's randomness: seeded from the machine, or by the simulator. */
  RandomGenerator random();

  /** The network, with sockets that live on this loop. */
  Net net();

  /** The disks, with files that live on this loop. */
  Disk disk();

  /**
   * The other processes of this machine, with sockets that live on this loop.
   *
   * @throws RemoraException {@link Status#UNSUPPORTED} on a simulated loop
   */
  default Local local() {
    throw new RemoraException(Status.UNSUPPORTED, name() + " is a simulated loop: it shares no memory with processes");
  }

  /**
   * A new arena for memory that belongs to this loop for long; who asks closes it, on the loop's thread. Large pieces of a real loop's are memory that {@link Local#find}
   * knows. A simulated loop closes what is left of them when it dies, as the end of a process does.
   */
  default Arena newArena() {
    return Arena.ofShared();
  }

  /** A new timer that runs {@code task} on this loop; not armed. */
  Timer timer(Runnable task);

  /**
   * Runs {@code task} soon on the loop's thread. From any thread, in order per thread. Wakes the loop if it sleeps. Throws
   * {@link RemoraException} with {@link Status#ABORTED} when the loop has been closed.
   */
  @Override
  void execute(Runnable task);

  /**
   * Runs {@code task} at the end of this turn, in order; what is deferred by a deferred task runs in the same turn too, up
   * to a bound that keeps sockets and disks from starving. Allocates nothing: pass the same object each time. The place to
   * deliver completions outside of {@code submit}, and to flush what a batch of events has produced.
   */
  void defer(Runnable task);

  /**
   * Asks {@code source} for work in every turn from now on, until {@link #remove}.
   *
   * @throws RemoraException {@link Status#UNSUPPORTED} on a simulated loop
   */
  default void add(Pollable source) {
    throw new RemoraException(Status.UNSUPPORTED, name() + " is a simulated loop: it polls no memory");
  }

  /** Asks {@code source} no more; nothing happens when it was not added. */
  default void remove(Pollable source) {}

  /**
   * Watches a file descriptor that somebody else has opened, and closes after {@link Watch#close}.
   *
   * @param onReadable runs when it has become readable or has failed, once for each time: read until nothing is left
   * @throws RemoraException {@link Status#UNSUPPORTED} on a simulated loop
   */
  default Watch watch(int descriptor, Runnable onReadable) {
    throw new RemoraException(Status.UNSUPPORTED, name() + " is a simulated loop: it has no descriptors");
  }

  /** A descriptor that is watched. */
  interface Watch extends AutoCloseable {
    /** Ends it; nothing runs any more. Idempotent. */
    @Override
    void close();
  }
}
