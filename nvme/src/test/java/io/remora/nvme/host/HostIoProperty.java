package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.sim.SimLoop;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random I/O against targets of all kinds, over a network that cuts the stream everywhere. */
class HostIoProperty {
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void readsReturnWhatWasWritten(long seed) {
    HostWorld world = new HostWorld(seed, 1 + (int) (seed % 3));
    RandomGenerator random = world.sim.random();
    shape(world.target, random);
    int depth = 1 + random.nextInt(20);
    int queues = random.nextInt(3);
    world.with(options -> options.withDigests(random.nextBoolean(), random.nextBoolean()).withQueues(queues, depth));
    world.connect();
    Workload workload = new Workload(random, world.target.disk().bytes.length);
    for (SimLoop loop : world.hostLoops) {
      workload.add(loop.call(() -> world.controller().namespaces().getFirst().open(loop)), loop, 12);
    }
    while (workload.submitted < 400) {
      workload.start(8);
      world.sim.runFor(random.nextLong(300_000));
    }
    world.sim.runUntil(workload::idle, 60 * HostWorld.SECOND);
    workload.assertHolds(world.target.disk().bytes);
    for (ScriptedConnection connection : world.target.ioConnections()) {
      assertThat(connection.mostInFlight).isBetween(1, Math.min(depth, world.target.maxEntries - 1));
      assertThat(connection.inFlight).isZero();
    }
    assertThat(world.controller().status().losses()).as(world.controller().status().toString()).isZero();
    world.close();
  }

  static void shape(ScriptedTarget target, RandomGenerator random) {
    target.maxH2cData = 4096 << random.nextInt(6);
    target.alignment = random.nextBoolean() ? 0 : random.nextInt(32);
    target.mdts = random.nextInt(6);
    target.ioccsz = random.nextBoolean() ? 4 : (64 + (512 << random.nextInt(6))) / 16;
    target.r2tBytes = random.nextBoolean() ? 1 << 20 : 512 * (1 + random.nextInt(32));
    target.c2hBytes = random.nextBoolean() ? 1 << 20 : 512 * (1 + random.nextInt(32));
    target.maxEntries = 2 + random.nextInt(40);
    target.flowControl = random.nextBoolean();
    target.success = random.nextBoolean();
    target.oncs = random.nextInt(8) == 0 ? 1 << 2 : 1 | 1 << 2 | 1 << 3;
  }
}
