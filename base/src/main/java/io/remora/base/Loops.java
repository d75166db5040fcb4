package io.remora.base;

import io.remora.base.linux.LinuxLoops;
import java.util.List;

/** The real event loops of this process: threads with io_uring or epoll under them. From any thread. */
public final class Loops implements AutoCloseable {
  /** What a loop waits on. */
  public enum Backend {
    /** io_uring where kernel and container permit it, else {@link #EPOLL}. */
    AUTO,
    /** One ring serves sockets and disks. Fails to start where it is not permitted. */
    IO_URING,
    /** epoll for sockets, a helper thread for disks. Works on every Linux. */
    EPOLL
  }

  /**
   * How to start loops.
   *
   * @param name prefix of the thread names
   * @param count the number of loops, at least 1
   * @param backend what they wait on
   * @param spinNs how long a loop that has just been busy polls before it sleeps in the kernel, in nanoseconds; 0 sleeps at
   *     once, {@link Long#MAX_VALUE} never sleeps. The time adapts downwards when spinning does not pay.
   * @param cores the CPU for each loop in turn; empty: not pinned
   */
  public record Config(String name, int count, Backend backend, long spinNs, List<Integer> cores) {
    /** How long a loop spins unless told otherwise, in nanoseconds. */
    public static final long DEFAULT_SPIN_NS = 50_000;

    /** {@code count} loops with defaults for the rest. */
    public static Config of(String name, int count) {
      return new Config(name, count, Backend.AUTO, DEFAULT_SPIN_NS, List.of());
    }
  }

  private final LinuxLoops loops;

  private Loops(LinuxLoops loops) {
    this.loops = loops;
  }

  /**
   * Starts them.
   *
   * @throws RemoraException {@link Status#UNSUPPORTED} when the back end is not permitted here, {@link Status#INVALID} when a core
   *     is not one that this process may use
   */
  public static Loops start(Config config) {
    Check.argument(config.count() >= 1, "%d loops", config.count());
    Check.argument(config.spinNs() >= 0, "spinning for %d ns", config.spinNs());
    return new Loops(LinuxLoops.start(config));
  }

  /** For people: what loops wait on where they may choose, and why. Starts one for a moment. */
  public static String describe() {
    return LinuxLoops.describe();
  }

  /** For people: what these loops wait on, and why. */
  public String description() {
    return loops.description();
  }

  /** All loops, in the order of their numbers. */
  public List<Loop> all() {
    return loops.all();
  }

  /** Loop {@code index}. */
  public Loop get(int index) {
    return loops.all().get(index);
  }

  /**
   * Ends the threads after the tasks that were given to them, closes what is open, and waits for them. Called on one of these
   * loops it does not wait, since that loop ends only after the task that called.
   */
  @Override
  public void close() {
    loops.close();
  }
}
