package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.base.sim.SimulationFailure;
import io.remora.block.MemoryDevice;
import io.remora.nvme.host.HostOptions.Resend;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our host and our target in one simulation, under I/O that is checked, while connections are reset, cut at any byte, partitioned,
 * and the target stalls or is killed and started again. No request may fail, nothing acknowledged may be lost or come back old,
 * and nothing may be left behind.
 */
class HostTargetSim {
  private static final String NQN = "nqn.2024-01.test:sim";
  private static final long SECOND = 1_000_000_000L;
  private static final long MILLI = 1_000_000L;
  private static final int SIZE = 4 << 20;

  private static final class World {
    final Simulation sim;
    final RandomGenerator random;
    final SimMachine hostMachine;
    final SimMachine targetMachine;
    final List<SimLoop> hostLoops;
    final Carriage carriage;
    final MemoryDevice memory = new MemoryDevice("memory", new UUID(3, 4), SIZE, 512);
    Target target = new Target(TargetConfig.DEFAULT);
    TargetListener listener;
    HostController controller;

    @SuppressWarnings("NullAway.Init")
    World(long seed, Carriage.Kind kind) {
      sim = new Simulation(seed);
      carriage = Carriage.of(kind, sim);
      random = sim.random();
      hostMachine = sim.machine("host");
      targetMachine = sim.machine("target");
      hostLoops = hostMachine.start(1 + random.nextInt(2));
      startTarget();
    }

    void startTarget() {
      List<Loop> loops = List.copyOf(targetMachine.start(1 + random.nextInt(2)));
      target = new Target(TargetConfig.DEFAULT);
      Subsystem subsystem = target.addSubsystem(Subsystem.Config.of(NQN));
      subsystem.allowAnyHost(true);
      subsystem.addNamespace(1, new LateDevice(memory, 2 * MILLI, 2 * SECOND));
      CompletableFuture<TargetListener> listening = carriage.listen(loops,
          new InetSocketAddress(targetMachine.address(), 4420), target);
      sim.runUntil(listening::isDone, SECOND);
      listener = listening.join();
    }

    void connect(Resend resend) {
      HostOptions options = HostOptions.of(new InetSocketAddress(targetMachine.address(), 4420), NQN)
          .withDigests(random.nextBoolean(), random.nextBoolean()).withQueues(0, 4 + random.nextInt(28))
          .withResend(resend);
      options = options.withTimes(options.times().withKeepAlive(2 * SECOND).withIo(3 * SECOND).withConnect(2 * SECOND));
      CompletableFuture<HostController> future = HostController.connect(carriage.host(), List.copyOf(hostLoops),
          options);
      sim.runUntil(future::isDone, 60 * SECOND);
      controller = future.join();
    }

    void befall() {
      switch (random.nextInt(9)) {
        case 0, 1 -> carriage.reset(hostMachine, targetMachine);
        case 2, 3, 4 -> carriage.breakSome(hostMachine, targetMachine);
        case 5 -> {
          carriage.cut(hostMachine, targetMachine);
          carriage.cut(targetMachine, hostMachine);
          sim.schedule(random.nextLong(8 * SECOND), carriage::heal);
        }
        case 6 -> {
          SimMachine from = random.nextBoolean() ? hostMachine : targetMachine;
          carriage.cut(from, from.equals(hostMachine) ? targetMachine : hostMachine);
          sim.schedule(random.nextLong(8 * SECOND), carriage::heal);
        }
        case 7 -> {
          targetMachine.pause();
          sim.schedule(random.nextLong(8 * SECOND), targetMachine::resume);
        }
        default -> {
          targetMachine.kill();
          sim.runFor(random.nextLong(SECOND));
          startTarget();
        }
      }
    }

    void close() {
      CompletableFuture<Void> closed = controller.close();
      sim.runUntil(closed::isDone, 60 * SECOND);
      listener.close();
      sim.runFor(30 * SECOND);
      CompletableFuture<Void> gone = target.close();
      sim.runUntil(gone::isDone, 60 * SECOND);
      sim.runFor(30 * SECOND);
      assertThat(carriage.leftBytes()).as("registered bytes of the host").isZero();
      assertThat(hostMachine.openSockets()).as("open sockets of the host").isZero();
      assertThat(targetMachine.openSockets()).as("open sockets of the target").isZero();
    }
  }

  static LongStream seeds() {
    return LongStream.range(0, Long.getLong("remora.seeds", 24)).map(i -> i + Long.getLong("remora.seed", 1));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void nothingIsLost(long seed) {
    run(seed, Resend.WHEN_OLD_IS_DEAD, Carriage.Kind.TCP);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void nothingIsLostOverRdma(long seed) {
    run(seed, Resend.WHEN_OLD_IS_DEAD, Carriage.Kind.RDMA);
  }

  /** What Linux does brings old data back now and then: the simulation can see it. */
  @Test
  void sendingAgainAtOnceIsCaught() {
    assertThat(LongStream.rangeClosed(1, 60).filter(seed -> fails(seed, Resend.AT_ONCE)).findFirst())
        .as("the first of 60 seeds that goes wrong").isPresent();
  }

  private static boolean fails(long seed, Resend resend) {
    try {
      run(seed, resend, Carriage.Kind.TCP);
      return false;
    } catch (SimulationFailure e) {
      assertThat(e).hasMessageContaining("returned something else");
      return true;
    }
  }

  private static void run(long seed, Resend resend, Carriage.Kind kind) {
    World world = new World(seed, kind);
    world.connect(resend);
    Workload workload = new Workload(world.random, SIZE);
    for (SimLoop loop : world.hostLoops) {
      workload.add(loop.call(() -> world.controller.namespaces().getFirst().open(loop)), loop, 10);
    }
    int troubles = 1 + world.random.nextInt(4);
    for (int i = 0; i < troubles; i++) {
      long until = workload.submitted + 20 + world.random.nextInt(60);
      while (workload.submitted < until && world.controller.status().state() == HostState.LIVE) {
        workload.start(6);
        world.sim.runFor(world.random.nextLong(MILLI));
      }
      world.befall();
      long quiet = world.sim.nowNs() + world.random.nextLong(3 * SECOND);
      while (world.sim.nowNs() < quiet) {
        workload.start(4);
        world.sim.runFor(world.random.nextLong(100 * MILLI) + 1);
      }
      world.sim.runFor(10 * SECOND);
      world.sim.runUntil(() -> world.controller.status().state() == HostState.LIVE, 60 * SECOND);
    }
    world.sim.runUntil(workload::idle, 120 * SECOND);
    assertThat(workload.failures).isZero();
    workload.readAll(world.sim);
    world.close();
  }
}
