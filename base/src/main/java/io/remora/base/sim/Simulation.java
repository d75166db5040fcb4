package io.remora.base.sim;

import io.remora.base.Check;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A simulated world of machines, in virtual time: the same seed and the same code repeat every event.
 *
 * <p>Owned by the thread that made it, on which everything runs. Time stands still while code runs and moves between events.
 * An event is a turn of one loop, or something in the world: a packet arrives, a disk finishes, a timer is due, an action of
 * the test. Loops take turns in an order that the seed decides; the tasks of one loop run in the order in which they came.
 *
 * <pre>{@code
 * Simulation sim = new Simulation(seed);
 * SimMachine machine = sim.machine("a");
 * SimLoop loop = machine.start(1).getFirst();
 * DiskFile file = loop.call(() -> loop.disk().open(Path.of("/pool"), Disk.Mode.CREATE));
 * ...
 * sim.runUntil(() -> done, 10_000_000_000L);
 * machine.powerLoss();
 * }</pre>
 */
public final class Simulation implements AutoCloseable {
  private final long seed;
  private final Thread thread = Thread.currentThread();
  private final EventQueue queue = new EventQueue();
  private final SplittableRandom root;
  private final SplittableRandom world;
  private final SplittableRandom test;
  private final List<SimMachine> machines = new ArrayList<>();
  private final List<Runnable> checkers = new ArrayList<>();
  private final SimNet net;
  private long nowNs;
  private long events;
  private long traceHash;
  private @Nullable SimLoop current;
  private @Nullable SimulationFailure failure;

  /** A world that {@code seed} decides. */
  public Simulation(long seed) {
    this.seed = seed;
    this.root = new SplittableRandom(seed);
    this.world = root.split();
    this.test = root.split();
    this.net = new SimNet(this, root.split());
    this.traceHash = seed;
  }

  /** The seed that repeats it. */
  public long seed() {
    return seed;
  }

  /** Virtual time since the beginning, in nanoseconds. */
  public long nowNs() {
    return nowNs;
  }

  /** Randomness for the test's own choices. */
  public RandomGenerator random() {
    return test;
  }

  /** How many events have happened. */
  public long events() {
    return events;
  }

  /** A hash over all that has happened: events, their times, and every byte that went to a disk or over the network. */
  public long traceHash() {
    return traceHash;
  }

  /** A new machine with an address of its own, not started. */
  public SimMachine machine(String name) {
    int number = machines.size() + 1;
    Check.argument(number <= 250, "no address is left for machine %s", name);
    return machine(name, InetAddress.ofLiteral("10.0.0." + number));
  }

  /** A new machine at {@code address}, not started. */
  public SimMachine machine(String name, InetAddress address) {
    for (SimMachine other : machines) {
      Check.argument(!other.name().equals(name), "there is a machine %s already", name);
      Check.argument(!other.address().equals(address), "machine %s has address %s already", other.name(), address);
    }
    SimMachine machine = new SimMachine(this, name, address, root.split());
    machines.add(machine);
    return machine;
  }

  /** The network between the machines. */
  public SimNet net() {
    return net;
  }

  /** All machines, in the order in which they were made. */
  public List<SimMachine> machines() {
    return List.copyOf(machines);
  }

  /** Calls {@code checker} after every event; it throws when an invariant does not hold. It runs outside of all loops. */
  public void afterEveryEvent(Runnable checker) {
    checkers.add(checker);
  }

  /** Runs {@code action} in {@code delayNs} nanoseconds, outside of all loops: the place for what befalls the machines. */
  public void schedule(long delayNs, Runnable action) {
    after(delayNs, new EventQueue.Event(action));
  }

  /**
   * Lets the next event happen.
   *
   * @return false when nothing is left to happen
   */
  public boolean step() {
    checkThread();
    Check.that(current == null, "a task may not drive the simulation that runs it");
    if (failure != null) {
      throw failure;
    }
    EventQueue.Event event = queue.peek();
    if (event == null) {
      return false;
    }
    queue.cancel(event);
    nowNs = event.timeNs();
    events++;
    trace(nowNs);
    try {
      event.run();
      for (int i = 0; i < checkers.size(); i++) {
        checkers.get(i).run();
      }
    } catch (SimulationFailure e) {
      failure = e;
      throw e;
    } catch (Throwable e) {
      throw fail(e);
    }
    return true;
  }

  /** Lets everything happen that happens in the next {@code durationNs} nanoseconds. */
  public void runFor(long durationNs) {
    long endNs = nowNs + durationNs;
    for (EventQueue.Event next = queue.peek(); next != null && next.timeNs() <= endNs; next = queue.peek()) {
      step();
    }
    nowNs = endNs;
  }

  /**
   * Runs until {@code condition} holds.
   *
   * @throws SimulationFailure when it does not within {@code limitNs} nanoseconds, or when nothing is left to happen
   */
  public void runUntil(BooleanSupplier condition, long limitNs) {
    long endNs = nowNs + limitNs;
    while (!condition.getAsBoolean()) {
      EventQueue.Event next = queue.peek();
      if (next == null) {
        throw fail("the condition does not hold and nothing is left to happen");
      }
      if (next.timeNs() > endNs) {
        nowNs = endNs;
        throw fail("the condition did not come true within " + seconds(limitNs));
      }
      step();
    }
  }

  /** Gives the native memory back that loops still have; nothing can happen any more. What was recorded stays usable. */
  @Override
  public void close() {
    checkThread();
    machines.forEach(SimMachine::release);
    if (failure == null) {
      failure = new SimulationFailure("the simulation has been closed");
    }
  }

  RandomGenerator world() {
    return world;
  }

  @Nullable
  SimLoop current() {
    return thread.equals(Thread.currentThread()) ? current : null;
  }

  void checkThread() {
    Check.that(thread.equals(Thread.currentThread()), "the simulation of seed %d belongs to %s", seed, thread);
  }

  void after(long delayNs, EventQueue.Event event) {
    queue.schedule(event, nowNs + Math.max(0, delayNs));
  }

  void at(long timeNs, EventQueue.Event event) {
    queue.schedule(event, Math.max(nowNs, timeNs));
  }

  void cancel(EventQueue.Event event) {
    queue.cancel(event);
  }

  /** Makes {@code loop} the one that runs, and returns the one that did. */
  @Nullable
  SimLoop enter(@Nullable SimLoop loop) {
    SimLoop before = current;
    current = loop;
    return before;
  }

  /** Adds {@code value} to the trace. */
  void trace(long value) {
    long mixed = (traceHash ^ value) * 0x9E3779B97F4A7C15L;
    traceHash = mixed ^ (mixed >>> 29);
  }

  /** Adds the content of {@code data} to the trace. */
  void trace(MemorySegment data) {
    CRC32C checksum = new CRC32C();
    checksum.update(data.asByteBuffer());
    trace(checksum.getValue());
  }

  SimulationFailure fail(Throwable cause) {
    failure = new SimulationFailure(where() + cause, cause);
    return failure;
  }

  private SimulationFailure fail(String message) {
    failure = new SimulationFailure(where() + message);
    return failure;
  }

  private String where() {
    return "seed " + seed + ", at " + seconds(nowNs) + ", event " + events
        + (current == null ? "" : ", " + current.name())
        + ": ";
  }

  private static String seconds(long timeNs) {
    return String.format(Locale.ROOT, "%d.%09d s", timeNs / 1_000_000_000L, timeNs % 1_000_000_000L);
  }
}
