package io.remora.base.sim;

import io.remora.base.Check;
import io.remora.base.Clock;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A simulated machine that runs one process: an address, a clock, disks that outlive every crash, and the loops of its
 * present life. Its methods are for tests, outside of all loops, and for {@linkplain Simulation#schedule scheduled} actions.
 */
public final class SimMachine {
  private static final long WALL_ORIGIN_MS = 1_767_225_600_000L;

  private final Simulation simulation;
  private final String name;
  private final InetAddress address;
  private final SplittableRandom random;
  private final SimDisk disk;
  private final List<SimLoop> loops = new ArrayList<>();
  private final Sockets sockets;
  private final long bootNs;
  private boolean powered = true;
  private int boots;
  private long wallOffsetMs;
  private final Clock clock = new Clock() {
    @Override
    public long nanoTime() {
      return bootNs + simulation.nowNs();
    }

    @Override
    public long wallMillis() {
      return WALL_ORIGIN_MS + wallOffsetMs + simulation.nowNs() / 1_000_000;
    }
  };

  SimMachine(Simulation simulation, String name, InetAddress address, SplittableRandom random) {
    this.simulation = simulation;
    this.name = name;
    this.address = address;
    this.random = random;
    this.bootNs = random.nextLong();
    this.sockets = new Sockets(this, random.nextInt(1 << 16));
    this.disk = new SimDisk(simulation, random.split());
  }

  /** Its name, for messages. */
  public String name() {
    return name;
  }

  /** Its address on the network. */
  public InetAddress address() {
    return address;
  }

  /** What is on its disks. */
  public SimDisk disk() {
    return disk;
  }

  /** Starts a process with {@code count} new loops. */
  public List<SimLoop> start(int count) {
    Check.argument(count >= 1, "%d loops", count);
    Check.argument(loops.isEmpty(), "machine %s runs already", name);
    if (!powered) {
      powered = true;
      simulation.net().retransmit();
    }
    for (int i = 0; i < count; i++) {
      loops.add(new SimLoop(simulation, this, name + "/" + i, random.split()));
    }
    return loops();
  }

  /** The loops of its present life; empty when it does not run. */
  public List<SimLoop> loops() {
    return List.copyOf(loops);
  }

  /** Loop {@code index} of its present life. */
  public SimLoop loop(int index) {
    return loops.get(index);
  }

  /** Whether a process runs. */
  public boolean running() {
    return !loops.isEmpty();
  }

  /**
   * Ends the process as SIGKILL does: tasks, timers and sockets are gone, and peers see a reset or the end of the stream (to
   * have them see nothing, {@linkplain SimNet#isolate isolate} the machine first). Files keep what was completed; a write in
   * flight lands, or not, or in part. {@link #start} begins a new life.
   */
  public void kill() {
    endLoops();
    sockets.kill(simulation.net());
    disk.kill();
  }

  /** As {@link #powerLoss(PowerLoss)} with {@link PowerLoss#MIXED}. */
  public void powerLoss() {
    powerLoss(PowerLoss.MIXED);
  }

  /**
   * The lights go out: as {@link #kill}, but peers hear nothing until the machine is started again and answers what they send
   * with a reset, and of the writes that no completed flush covers {@code how} decides what stays.
   */
  public void powerLoss(PowerLoss how) {
    endLoops();
    powered = false;
    boots++;
    sockets.vanish();
    disk.powerLoss(how, random.nextLong());
  }

  /** Stops the process as SIGSTOP does: its loops take no turn until {@link #resume}; kernel and disks go on. */
  public void pause() {
    loops.forEach(loop -> loop.pause(true));
  }

  /** Ends a {@link #pause}. */
  public void resume() {
    loops.forEach(loop -> loop.pause(false));
  }

  /** Moves the wall clock by {@code deltaMs} milliseconds, either way. The monotonic clock does not notice. */
  public void jumpWallClock(long deltaMs) {
    wallOffsetMs += deltaMs;
  }

  @Override
  public String toString() {
    return name;
  }

  /** How many sockets its process has open: listening, connected or not yet closed, datagram. For finding leaks. */
  public int openSockets() {
    return sockets.count();
  }

  /** How many arenas its loops have open. For finding leaks. */
  public int openArenas() {
    return loops.stream().mapToInt(SimLoop::openArenas).sum();
  }

  /** Gives the memory back that a life has left. */
  void release() {
    loops.forEach(SimLoop::closeArenas);
  }

  Sockets sockets() {
    return sockets;
  }

  boolean powered() {
    return powered;
  }

  /** How often it has lost power. */
  int boots() {
    return boots;
  }

  boolean owns(InetAddress candidate) {
    return candidate.equals(address) || candidate.isLoopbackAddress() || candidate.isAnyLocalAddress();
  }

  Clock clock() {
    return clock;
  }

  private void endLoops() {
    loops.forEach(SimLoop::die);
    loops.clear();
  }
}
