package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.Clock;
import io.remora.base.Disk;
import io.remora.base.Loop;
import io.remora.base.Net;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A loop of a {@link SimMachine}, for one of its lives: after {@link SimMachine#kill} it never runs again.
 *
 * <p>A turn runs one task or a few, then what they deferred; when it comes, the seed decides. What belongs to the loop may be
 * touched only in its turns: anything else fails the simulation. A test gets in by {@link #call} and {@link #run}.
 */
public final class SimLoop implements Loop {
  private static final int MAX_DEFERRED_PER_TURN = 1024;

  private final Simulation simulation;
  private final SimMachine machine;
  private final String name;
  private final RandomGenerator random;
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private final ArrayDeque<Runnable> deferred = new ArrayDeque<>();
  private final EventQueue.Event turn = new EventQueue.Event(this::turn);
  private final Net net;
  private final Disk disk;
  private final Set<Arena> arenas = new LinkedHashSet<>();
  private boolean alive = true;
  private boolean paused;

  SimLoop(Simulation simulation, SimMachine machine, String name, SplittableRandom random) {
    this.simulation = simulation;
    this.machine = machine;
    this.name = name;
    this.random = random;
    this.net = new LoopNet(this, simulation.net());
    this.disk = new LoopDisk(this, machine.disk());
  }

  /** The machine it runs on. */
  public SimMachine machine() {
    return machine;
  }

  /** False for ever once its machine was killed or has lost power. */
  public boolean alive() {
    return alive;
  }

  /**
   * Runs {@code body} as a turn of this loop, now, and returns what it returns. For tests, outside of the simulation's
   * events; what {@code body} throws comes out.
   */
  public <T extends @Nullable Object> T call(Supplier<T> body) {
    simulation.checkThread();
    Check.that(alive, "loop %s is dead", name);
    SimLoop before = simulation.enter(this);
    Check.that(before == null, "a task of a loop may not call into loop %s", name);
    try {
      T result = body.get();
      runDeferred();
      return result;
    } finally {
      simulation.enter(null);
      wake();
    }
  }

  /** Runs {@code body} as a turn of this loop, now. For tests, as {@link #call}. */
  public void run(Runnable body) {
    call(() -> {
      body.run();
      return null;
    });
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean inLoop() {
    return simulation.current() == this;
  }

  @Override
  public Clock clock() {
    return machine.clock();
  }

  @Override
  public RandomGenerator random() {
    checkInLoop();
    return random;
  }

  @Override
  public Net net() {
    return net;
  }

  @Override
  public Disk disk() {
    return disk;
  }

  @Override
  public Arena newArena() {
    checkInLoop();
    LoopArena arena = new LoopArena(arenas);
    arenas.add(arena);
    return arena;
  }

  @Override
  public Timer timer(Runnable task) {
    checkInLoop();
    return new SimTimer(this, task);
  }

  @Override
  public void execute(Runnable task) {
    simulation.checkThread();
    if (!alive) {
      throw closed();
    }
    enqueue(task);
  }

  @Override
  public void defer(Runnable task) {
    checkInLoop();
    deferred.add(task);
  }

  @Override
  public String toString() {
    return name;
  }

  Simulation simulation() {
    return simulation;
  }

  /** As {@link #checkInLoop}; throws when the loop has died in this very turn, for who can fail: the rest of it is void. */
  void checkRuns() {
    checkInLoop();
    if (!alive) {
      throw closed();
    }
  }

  void checkInLoop() {
    SimLoop current = simulation.current();
    Check.that(current == this, "what belongs to loop %s was used by %s", name,
        current == null ? "code outside of all loops (see SimLoop.call)" : current.name());
  }

  /** Adds a task of the world: a completion, a timer, readiness of a socket. Ignored by a dead loop. */
  void enqueue(Runnable task) {
    if (alive) {
      tasks.add(task);
      wake();
    }
  }

  void die() {
    alive = false;
    tasks.clear();
    deferred.clear();
    simulation.cancel(turn);
    // Whoever was killed in the middle of a task may still touch its memory before the task ends.
    if (simulation.current() == null) {
      closeArenas();
    } else {
      simulation.after(0, new EventQueue.Event(this::closeArenas));
    }
  }

  int openArenas() {
    return arenas.size();
  }

  void closeArenas() {
    Set.copyOf(arenas).forEach(Arena::close);
  }

  void pause(boolean on) {
    paused = on;
    if (on) {
      simulation.cancel(turn);
    } else {
      wake();
    }
  }

  private void wake() {
    boolean work = !tasks.isEmpty() || !deferred.isEmpty();
    if (alive && !paused && work && !turn.queued() && simulation.current() != this) {
      RandomGenerator world = simulation.world();
      boolean late = world.nextInt(64) == 0;
      simulation.after(100 + world.nextInt(late ? 100_000 : 2_000), turn);
    }
  }

  private void turn() {
    simulation.trace(name.hashCode());
    simulation.enter(this);
    try {
      RandomGenerator world = simulation.world();
      int batch = world.nextInt(4) == 0 ? 1 + world.nextInt(8) : 1;
      for (int i = 0; i < batch && alive && !tasks.isEmpty(); i++) {
        tasks.remove().run();
      }
      runDeferred();
    } catch (Throwable e) {
      // Whoever was killed in the middle of a task has no say any more.
      if (alive) {
        throw simulation.fail(e);
      }
    } finally {
      simulation.enter(null);
    }
    wake();
  }

  private RemoraException closed() {
    return new RemoraException(Status.ABORTED, "loop " + name + " has been closed");
  }

  private void runDeferred() {
    for (int i = 0; i < MAX_DEFERRED_PER_TURN && alive && !deferred.isEmpty(); i++) {
      deferred.remove().run();
    }
  }
}
