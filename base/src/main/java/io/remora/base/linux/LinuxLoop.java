package io.remora.base.linux;

import io.remora.base.Clock;
import io.remora.base.Disk;
import io.remora.base.Local;
import io.remora.base.Loop;
import io.remora.base.Loops;
import io.remora.base.Net;
import io.remora.base.Pollable;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A loop on a thread of its own over a {@link Poller}: the same for io_uring and epoll.
 *
 * <p>Everything but {@link #execute}, {@link #close} and what {@link Loop} says of threads belongs to that thread.
 */
final class LinuxLoop implements Loop, Clock {
  /** More tasks of other threads than this are refused. */
  static final int MAX_TASKS = 1 << 16;

  private static final int MAX_TASKS_PER_TURN = 1024;
  private static final int MAX_DEFERRED_PER_TURN = 4096;
  private static final long MAX_DRAIN_NS = 30_000_000_000L;
  private static final System.Logger LOG = System.getLogger("io.remora.base");

  private final String name;
  private final int core;
  private final Loops.Backend backend;
  private final OpenFiles files;
  private final Thread thread;
  private final CompletableFuture<String> started = new CompletableFuture<>();
  private final TaskQueue tasks = new TaskQueue(MAX_TASKS);
  private final TimerHeap timers = new TimerHeap();
  private final DeferQueue deferred = new DeferQueue();
  private final SpinBudget spin;
  private final SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());
  private final AtomicBoolean asleep = new AtomicBoolean();
  /** Replaced and never changed, so that one may come or go while they are asked. */
  private Pollable[] pollables = {};

  private final Libc libc;
  private @Nullable Poller poller;
  private @Nullable LinuxNet net;
  private @Nullable LinuxDisk disk;
  private @Nullable LinuxLocal local;
  private @Nullable DiskQueue disks;
  /** The time of this turn, read when its events had come: one reading of the clock for each turn. */
  private long turnNs;

  /**
   * Starts loop {@code number} of {@code config} and waits until it runs.
   *
   * @param core the CPU it is pinned to, or -1
   * @param files what the loops of one set share of the files they have open
   * @throws RemoraException {@link Status#UNSUPPORTED} when this machine does not permit the back end
   */
  static LinuxLoop start(Loops.Config config, int number, int core, OpenFiles files) {
    String name = config.name() + "-" + number;
    if (!Abi.X86_64 && !Abi.AARCH64) {
      throw new RemoraException(Status.UNSUPPORTED,
          name + ": event loops need Linux on x86_64 or aarch64, this is " + System.getProperty("os.arch"));
    }
    LinuxLoop loop = new LinuxLoop(name, config, core, files);
    loop.thread.start();
    try {
      loop.started.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RemoraException refused) {
        throw new RemoraException(refused.status(), name + " does not start: " + refused.getMessage(), refused);
      }
      throw new RemoraException(Status.INTERNAL, name + " does not start: " + e.getCause(), e);
    }
    return loop;
  }

  private LinuxLoop(String name, Loops.Config config, int core, OpenFiles files) {
    this.name = name;
    this.core = core;
    this.files = files;
    this.backend = config.backend();
    this.spin = new SpinBudget(config.spinNs());
    try {
      this.libc = new Libc();
    } catch (LinkageError e) {
      throw new RemoraException(Status.UNSUPPORTED, "this C library does not have what event loops need: " + e, e);
    }
    this.thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this::run);
  }

  /** What it waits on and why. From any thread. */
  String description() {
    return started.join();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean inLoop() {
    return Thread.currentThread() == thread;
  }

  @Override
  public Clock clock() {
    return this;
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public long wallMillis() {
    return System.currentTimeMillis();
  }

  @Override
  public RandomGenerator random() {
    assert inLoop();
    return random;
  }

  @Override
  public Net net() {
    return ready(net);
  }

  @Override
  public Disk disk() {
    return ready(disk);
  }

  @Override
  public Local local() {
    return ready(local);
  }

  @Override
  public Arena newArena() {
    return new SharedArena();
  }

  @Override
  public Timer timer(Runnable task) {
    return new LoopTimer(this, timers, task);
  }

  @Override
  public void execute(Runnable task) {
    switch (tasks.offer(task)) {
      case TAKEN -> wake();
      case FULL -> throw new RemoraException(Status.NO_RESOURCES, name + ": " + MAX_TASKS + " tasks are waiting");
      case CLOSED -> throw new RemoraException(Status.ABORTED, name + " has been closed");
    }
  }

  @Override
  public void defer(Runnable task) {
    assert inLoop();
    deferred.add(task);
  }

  @Override
  public void add(Pollable source) {
    assert inLoop();
    pollables = Arrays.copyOf(pollables, pollables.length + 1);
    pollables[pollables.length - 1] = source;
  }

  @Override
  public void remove(Pollable source) {
    assert inLoop();
    pollables = Arrays.stream(pollables).filter(p -> p != source).toArray(Pollable[]::new);
  }

  @Override
  public Watch watch(int descriptor, Runnable onReadable) {
    assert inLoop();
    ForeignWatch watch = new ForeignWatch(this, descriptor, onReadable);
    poller().watch(watch);
    return watch;
  }

  /** Refuses tasks from now on; the thread ends after those it has. From any thread. */
  void close() {
    tasks.close();
    wake();
  }

  /** Waits until the thread has ended. From any thread but this loop's. */
  void join() {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return name;
  }

  Libc libc() {
    return libc;
  }

  Poller poller() {
    return ready(poller);
  }

  /** Whether there is memory to look at beside the kernel. */
  boolean hasPollables() {
    return pollables.length > 0;
  }

  /** When the events of the last turn had come. */
  long turnNs() {
    return turnNs;
  }

  /** Wakes the loop if it sleeps; costs next to nothing if it does not. From any thread. */
  void wake() {
    if (asleep.get() && asleep.compareAndSet(true, false)) {
      poller().wake();
    }
  }

  /** Something that the loop called has thrown. */
  void failed(Throwable e) {
    log("a task of loop " + name + " failed; the loop goes on", e);
  }

  /** A log may need files or memory that there are none of: that shall not end the loop. */
  private static void log(String text, Throwable e) {
    try {
      LOG.log(System.Logger.Level.ERROR, text, e);
    } catch (Throwable ignored) {
      // There is nobody left to tell.
    }
  }

  private void run() {
    Arena arena = Arena.ofConfined();
    try {
      open(arena);
    } catch (Throwable e) {
      tasks.close();
      arena.close();
      started.completeExceptionally(e);
      return;
    }
    started.complete(poller().description());
    try {
      turns();
    } catch (Throwable e) {
      log("loop " + name + " cannot go on", e);
      tasks.close();
    }
    // Memory that the kernel may still write to is better lost than given to somebody else.
    if (shutDown()) {
      arena.close();
    }
  }

  private void open(Arena arena) {
    if (core >= 0) {
      pin(arena);
    }
    DiskQueue queue = new DiskQueue(this, arena);
    Poller opened = switch (backend) {
      case EPOLL -> new EpollPoller(this, queue, arena, "as configured");
      case IO_URING -> RingPoller.open(this, queue, arena);
      case AUTO -> ringOrEpoll(queue, arena);
    };
    poller = opened;
    disks = queue;
    disk = new LinuxDisk(this, queue, files);
    net = new LinuxNet(this, arena);
    local = new LinuxLocal(this, arena);
  }

  private Poller ringOrEpoll(DiskQueue queue, Arena arena) {
    try {
      return RingPoller.open(this, queue, arena);
    } catch (RemoraException e) {
      return new EpollPoller(this, queue, arena, e.getMessage());
    }
  }

  private void pin(Arena arena) {
    MemorySegment mask = arena.allocate(128);
    int result = core < mask.byteSize() * 8 ? 0 : -Errno.EINVAL;
    if (result == 0) {
      mask.set(java.lang.foreign.ValueLayout.JAVA_BYTE, core / 8, (byte) (1 << core % 8));
      result = libc.schedSetaffinity(0, mask.byteSize(), mask.address());
    }
    if (result < 0) {
      throw new RemoraException(Status.INVALID,
          "cannot run on core " + core + ": " + Errno.text(-result) + "; see /sys/devices/system/cpu/online");
    }
  }

  private void turns() {
    boolean idle = false;
    long idleSinceNs = 0;
    while (!tasks.closed() || tasks.size() > 0) {
      if (turn(0) > 0) {
        idle = false;
        continue;
      }
      if (!idle) {
        idle = true;
        idleSinceNs = turnNs;
      }
      if (spin.spins(turnNs - idleSinceNs)) {
        Thread.onSpinWait();
        continue;
      }
      int work = sleep(turnNs);
      spin.slept(turnNs - idleSinceNs);
      idle = work == 0;
    }
  }

  /** One turn; what it waits for, if it waits, comes first. Returns a measure of what was done. */
  private int turn(long timeoutNs) {
    int work = poller().poll(timeoutNs);
    turnNs = System.nanoTime();
    work += pollAll();
    work += runTimers();
    work += runTasks();
    return work + runDeferred();
  }

  private int pollAll() {
    int work = 0;
    for (Pollable source : pollables) {
      try {
        work += source.poll();
      } catch (Throwable e) {
        failed(e);
      }
    }
    return work;
  }

  /** Tells all that the loop is about to sleep; false when one of them has work. */
  private boolean armAll() {
    boolean armed = true;
    for (Pollable source : pollables) {
      armed &= source.arm();
    }
    return armed;
  }

  private int sleep(long now) {
    LoopTimer next = timers.first();
    long timeoutNs = next == null ? Poller.FOREVER : Math.max(0, next.deadlineNs - now);
    asleep.set(true);
    if (tasks.size() > 0 || tasks.closed() || !deferred.isEmpty() || !poller().maySleep() || !armAll()) {
      timeoutNs = 0;
    }
    int work;
    try {
      work = poller().poll(timeoutNs);
    } finally {
      asleep.set(false);
      turnNs = System.nanoTime();
    }
    return work + pollAll() + runTimers() + runTasks() + runDeferred();
  }

  private int runTimers() {
    if (timers.isEmpty()) {
      return 0;
    }
    long now = turnNs;
    long armedLater = timers.sequence();
    int fired = 0;
    for (LoopTimer next = timers.first(); next != null && next.deadlineNs - now <= 0
        && next.sequence < armedLater; next = timers.first()) {
      timers.remove(next);
      fired++;
      runSafely(next.task);
    }
    return fired;
  }

  private int runTasks() {
    int count = Math.min(tasks.size(), MAX_TASKS_PER_TURN);
    for (int i = 0; i < count; i++) {
      Runnable task = tasks.poll();
      if (task == null) {
        return i;
      }
      runSafely(task);
    }
    return count;
  }

  private int runDeferred() {
    for (int i = 0; i < MAX_DEFERRED_PER_TURN; i++) {
      Runnable task = deferred.poll();
      if (task == null) {
        return i;
      }
      runSafely(task);
    }
    return MAX_DEFERRED_PER_TURN;
  }

  private void runSafely(Runnable task) {
    try {
      task.run();
    } catch (Throwable e) {
      failed(e);
    }
  }

  /**
   * Closes the sockets, lets disk operations finish, since the kernel may write to memory until they have, then closes what is
   * open. False when something is in flight still.
   */
  private boolean shutDown() {
    DiskQueue queue = ready(disks);
    try {
      poller().closeWatched();
      queue.refuseAll();
      long giveUpNs = System.nanoTime() + MAX_DRAIN_NS;
      runDeferred();
      while (queue.inFlight() > 0 && System.nanoTime() - giveUpNs < 0) {
        poller().poll(1_000_000);
        runDeferred();
      }
      queue.closeFiles();
      poller().close();
    } catch (Throwable e) {
      failed(e);
    }
    if (queue.inFlight() > 0) {
      LOG.log(System.Logger.Level.ERROR, name + ": ends with " + queue.inFlight() + " disk operations in flight");
    }
    return queue.inFlight() == 0;
  }

  private <T> T ready(@Nullable T part) {
    if (part == null) {
      throw new RemoraException(Status.INTERNAL, name + " does not run");
    }
    return part;
  }
}
