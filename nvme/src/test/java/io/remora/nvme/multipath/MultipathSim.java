package io.remora.nvme.multipath;

import static io.remora.nvme.multipath.MultipathWorld.MILLI;
import static io.remora.nvme.multipath.MultipathWorld.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimulationFailure;
import io.remora.nvme.AnaState;
import io.remora.nvme.host.HostOptions.Resend;
import io.remora.nvme.host.LateDevice;
import io.remora.nvme.host.Workload;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One device over two or three nodes, under I/O that is checked, while paths are cut, flap, stall, are partitioned, removed and added, nodes
 * are killed, and ANA states change. No request may fail, and nothing acknowledged may be lost or come back old.
 */
class MultipathSim {
  private static final List<PathPolicy> POLICIES = List.of(PathPolicy.values());
  private static final List<AnaState> STATES = List.of(AnaState.values());

  static LongStream seeds() {
    return LongStream.range(0, Long.getLong("remora.seeds", 24)).map(i -> i + Long.getLong("remora.seed", 1));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void nothingIsLost(long seed) {
    run(seed, Resend.WHEN_OLD_IS_DEAD);
  }

  /** What Linux does brings old data back now and then: the simulation can see it. */
  @Test
  void sendingAgainAtOnceIsCaught() {
    assertThat(LongStream.rangeClosed(1, 100).filter(seed -> fails(seed, Resend.AT_ONCE)).findFirst())
        .as("the first of 100 seeds that goes wrong").isPresent();
  }

  private static boolean fails(long seed, Resend resend) {
    try {
      run(seed, resend);
      return false;
    } catch (SimulationFailure e) {
      assertThat(e).hasMessageContaining("returned something else");
      return true;
    }
  }

  private static void run(long seed, Resend resend) {
    RandomGenerator shape = new SplittableRandom(seed);
    MultipathWorld world = new MultipathWorld(seed, 2 + shape.nextInt(2), 1 + shape.nextInt(2));
    world.host(options -> options.withResend(resend).withQueues(0, 4 + shape.nextInt(28))
        .withDigests(shape.nextBoolean(), shape.nextBoolean()));
    world.options = world.options.withPolicy(POLICIES.get(shape.nextInt(POLICIES.size())))
        .withLocal(address -> address.equals(world.node(1).address));
    world.nodes.forEach(node -> node.device = new LateDevice(world.memory, 2 * MILLI, 2 * SECOND));
    world.open();
    Workload workload = new Workload(world.sim.random(), MultipathWorld.SIZE);
    for (SimLoop loop : world.loops) {
      workload.add(loop.call(() -> world.device().open(loop)), loop, 10);
    }
    int troubles = 2 + shape.nextInt(5);
    for (int i = 0; i < troubles; i++) {
      work(world, workload, world.sim.nowNs() + shape.nextLong(SECOND));
      befall(world, world.node(shape.nextInt(world.nodes.size())));
      work(world, workload, world.sim.nowNs() + shape.nextLong(4 * SECOND));
    }
    world.sim.runFor(10 * SECOND);
    world.nodes.forEach(node -> node.subsystem.ana(AnaState.OPTIMIZED));
    world.sim.runUntil(() -> world.device().paths().stream().allMatch(path -> path.state() == PathState.LIVE),
        60 * SECOND);
    world.sim.runUntil(workload::idle, 120 * SECOND);
    assertThat(workload.failures).isZero();
    workload.readAll(world.sim);
    world.close();
  }

  private static void work(MultipathWorld world, Workload workload, long until) {
    while (world.sim.nowNs() < until) {
      workload.start(5);
      world.sim.runFor(world.sim.random().nextLong(20 * MILLI) + 1);
    }
  }

  private static void befall(MultipathWorld world, MultipathWorld.Node node) {
    RandomGenerator random = world.sim.random();
    switch (random.nextInt(10)) {
      case 0 -> node.reset();
      case 1 -> {
        world.sim.net().breakNextConnection(world.host, node.machine, random.nextInt(1 << random.nextInt(19)));
        node.reset();
      }
      case 2 -> {
        node.partition();
        world.sim.schedule(random.nextLong(8 * SECOND), node::heal);
      }
      case 3 -> {
        boolean out = random.nextBoolean();
        world.sim.net().cut(out ? world.host : node.machine, out ? node.machine : world.host);
        world.sim.schedule(random.nextLong(8 * SECOND), node::heal);
      }
      case 4 -> {
        node.machine.pause();
        world.sim.schedule(random.nextLong(8 * SECOND), node.machine::resume);
      }
      case 5 -> {
        node.machine.kill();
        world.sim.runFor(random.nextLong(SECOND));
        node.start();
      }
      case 6 -> {
        // Flapping.
        for (int i = 0; i < 10; i++) {
          world.sim.schedule(random.nextLong(2 * SECOND), node::reset);
        }
      }
      case 7 -> {
        for (MultipathWorld.Node each : world.nodes) {
          each.partition();
          world.sim.schedule(random.nextLong(8 * SECOND), each::heal);
        }
      }
      case 8 -> {
        world.device().removePath(node.address);
        world.sim.runFor(random.nextLong(3 * SECOND));
        world.sim.runUntil(
            () -> world.device().paths().stream().noneMatch(path -> path.address().equals(node.address)), SECOND);
        world.device().addPath(node.address);
      }
      default -> {
        for (int i = 0; i < 12; i++) {
          AnaState state = STATES.get(random.nextInt(STATES.size()));
          MultipathWorld.Node each = world.node(random.nextInt(world.nodes.size()));
          world.sim.schedule(random.nextLong(4 * SECOND), () -> {
            // A node that is dead has no state to change.
            if (each.machine.running()) {
              each.subsystem.ana(state);
            }
          });
        }
      }
    }
  }
}
