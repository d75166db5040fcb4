package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.ConnectionLimits;
import io.remora.nvme.target.TargetConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a target serves at most, and that greedy hosts leave enough to the others: memory, connections, turns of a loop. */
class TargetLimitsTest {
  private static final int MIB = 1 << 20;
  private static final TargetConfig TIGHT = TargetConfig.DEFAULT.withMemory(32 * MIB, 32 * MIB);

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final List<TestWorld> worlds = new ArrayList<>();

  private TestWorld world(TargetConfig config) {
    TestWorld made = new TestWorld(seed, config);
    made.sim.net().fragments(false);
    worlds.add(made);
    return made;
  }

  private TestWorld world(ConnectionLimits limits) {
    return world(TargetConfig.DEFAULT.withLimits(limits));
  }

  @AfterEach
  void nothingIsLeft() {
    worlds.forEach(TestWorld::close);
  }

  // Connections and controllers.

  @Test
  void moreConnectionsThanTheTargetServesAreClosed() {
    TestWorld world = world(new ConnectionLimits(6, 64, 100, 100));
    TestQueue admin = world.admin();
    List<TestQueue> queues = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      queues.add(world.io(admin, i));
    }
    for (int i = 0; i < 10; i++) {
      TestQueue seventh = world.queue();
      seventh.awaitEnd();
      assertThat(seventh.pdus).isEmpty();
    }
    queues.get(random.nextInt(5)).close();
    world.settle();
    TestQueue again = world.initialized();
    assertThat(again.ended).isFalse();
    assertThat(queues.stream().filter(queue -> !queue.ended)).allSatisfy(
        queue -> assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero());
  }

  @Test
  void whoDoesNotConnectGivesWayToWhoDoes() {
    TestWorld world = world(new ConnectionLimits(1000, 8, 100, 100));
    List<TestQueue> silent = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      silent.add(i % 2 == 0 ? world.queue() : world.initialized());
      if (i % 20 == 19) {
        // Comes in although there are more than enough already, and stays.
        world.io(world.admin(), 1);
      }
    }
    world.settle();
    assertThat(silent.stream().filter(queue -> !queue.ended)).as("8 on each of two loops, the youngest")
        .hasSizeLessThanOrEqualTo(16).hasSizeGreaterThan(8);
    assertThat(silent.getFirst().ended).isTrue();
    assertThat(silent.getLast().ended).isFalse();
    assertThat(world.subsystem.connections()).hasSize(3);
  }

  @Test
  void aHostHasOnlySoManyControllers() {
    TestWorld world = world(new ConnectionLimits(1000, 64, 100, 3));
    List<TestQueue> mine = List.of(world.admin(), world.admin(), world.admin());
    expectBusy(world, TestWorld.HOST);
    world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST + "2", 0);
    mine.get(random.nextInt(3)).reset();
    world.settle();
    world.admin();
    expectBusy(world, TestWorld.HOST);
  }

  @Test
  void aTargetHasOnlySoManyControllers() {
    TestWorld world = world(new ConnectionLimits(1000, 64, 4, 100));
    List<TestQueue> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST + i, 0));
    }
    expectBusy(world, TestWorld.HOST);
    all.getFirst().reset();
    world.settle();
    world.admin();
    expectBusy(world, TestWorld.HOST + 9);
  }

  private static void expectBusy(TestWorld world, String host) {
    TestQueue queue = world.initialized();
    Reply reply = queue.call(TestQueue.connect(0, 31, 0, false),
        TestQueue.connectData(0xffff, TestWorld.NQN, host));
    assertThat(reply.status()).as("may be tried again").isEqualTo(NvmeStatus.CONNECT_CONTROLLER_BUSY);
    queue.close();
  }

  // Memory.

  private static byte[] largeWrite(int cid) {
    byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 2048);
    Pdus.view(sqe).putShort(2, (short) cid);
    return Pdus.pdu(4, 0, Pdus.capsule(sqe), new byte[0], false, false);
  }

  /** Asks for 30 MiB and sends nothing of it. */
  private static TestQueue hoard(TestWorld world, TestQueue admin, int qid) {
    TestQueue hoarder = world.io(admin, qid);
    for (int i = 0; i < 30; i++) {
      hoarder.send(largeWrite(1000 + i));
    }
    return hoarder;
  }

  @Test
  void whoTakesAllLeavesSomething() {
    TestWorld world = world(TIGHT);
    TestQueue admin = world.admin();
    List<TestQueue> hoarders = new ArrayList<>();
    for (int i = 1; i <= 6; i++) {
      hoarders.add(hoard(world, admin, i));
    }
    world.settle();
    long granted = hoarders.stream().mapToLong(hoarder -> hoarder.pdus.size()).sum();
    assertThat(granted).as("MiB of 2 times 20").isBetween(24L, 38L);
    assertThat(hoarders).allSatisfy(hoarder -> assertThat(hoarder.pdus).as("everybody has a share").isNotEmpty());
    for (int qid = 10; qid < 12; qid++) {
      TestQueue modest = world.io(admin, qid);
      for (int i = 0; i < 5; i++) {
        assertThat(modest.call(TestQueue.io(Opcode.READ, 1, 0, 2048), null).status()).isZero();
        assertThat(modest.callWithR2t(TestQueue.io(Opcode.WRITE, 1, 0, 2048), new byte[MIB]).status()).isZero();
      }
    }
    assertThat(hoarders).noneMatch(hoarder -> hoarder.ended);
  }

  /** Trickling keeps memory only so long as nobody else wants it. */
  @Test
  void aTrickleDoesNotKeepMemoryFromOthers() {
    TestWorld world = world(TIGHT.withQueues(64, 32));
    TestQueue admin = world.admin();
    List<TestQueue> hoarders = new ArrayList<>();
    List<byte @Nullable []> firstR2ts = new ArrayList<>();
    for (int i = 1; i <= 48; i++) {
      TestQueue hoarder = hoard(world, admin, i);
      hoarders.add(hoarder);
    }
    world.settle();
    for (TestQueue hoarder : hoarders) {
      firstR2ts.add(hoarder.pdus.isEmpty() ? null : hoarder.pdu());
    }
    TestQueue[] modest = {world.io(admin, 50), world.io(admin, 51)};
    int[] cids = new int[2];
    for (int i = 0; i < 2; i++) {
      cids[i] = modest[i].start(TestQueue.io(Opcode.READ, 1, 0, 2048), null);
    }
    world.settle();
    assertThat(modest[0].answered(cids[0]) || modest[1].answered(cids[1])).as("there is nothing left").isFalse();
    for (int round = 0; round < 10; round++) {
      for (int i = 0; i < hoarders.size(); i++) {
        byte @Nullable [] r2t = firstR2ts.get(i);
        if (r2t != null && !hoarders.get(i).ended) {
          int cid = Pdus.view(r2t).getShort(8);
          hoarders.get(i).send(Pdus.pdu(6, 0, Pdus.transfer(cid, Pdus.view(r2t).getShort(10), 512 * round, 512),
              new byte[512], false, false));
        }
      }
      world.sim.runFor(20_000_000_000L);
    }
    for (int i = 0; i < 2; i++) {
      assertThat(modest[i].answer(cids[i]).status()).as("seed %d", seed).isZero();
    }
    assertThat(hoarders).anyMatch(hoarder -> hoarder.ended);
  }

  // Turns.

  @Test
  void aLongVerifyLetsOthersIn() {
    TestWorld world = world(TargetConfig.DEFAULT);
    TestQueue admin = world.admin();
    TestQueue verifying = world.io(admin, 1);
    world.io(admin, 2);
    TestQueue shallow = world.io(admin, 3);
    world.targetMachine.pause();
    int[] verifies = new int[4];
    for (int i = 0; i < verifies.length; i++) {
      verifies[i] = verifying.start(TestQueue.io(Opcode.VERIFY, 1, 0, 8192), null);
    }
    world.sim.runFor(50_000_000L);
    int small = shallow.start(TestQueue.io(Opcode.READ, 1, 5, 1), null);
    world.sim.runFor(50_000_000L);
    world.targetMachine.resume();
    assertThat(shallow.answer(small).status()).isZero();
    assertThat(world.device.log.indexOf("READ 2560+512")).as("of 128 pieces; seed %d", seed).isLessThanOrEqualTo(4 * 9);
    for (int cid : verifies) {
      assertThat(verifying.answer(cid).status()).isZero();
    }
    assertThat(world.device.log).hasSize(4 * 32 + 1);
  }

  /** A deep queue of large reads is begun a turn's worth at a time; a single small one does not stand behind all of it. */
  @Test
  void aDeepQueueDoesNotHoldUpAShallowOne() {
    TestWorld world = world(TargetConfig.DEFAULT.withMemory(256L * MIB, 64L * MIB));
    TestQueue admin = world.admin();
    List<TestQueue> deep = new ArrayList<>();
    // Every second connection is on the same loop.
    for (int i = 1; i <= 6; i++) {
      TestQueue queue = world.io(admin, i);
      if (i % 2 == 1) {
        deep.add(queue);
      }
    }
    TestQueue shallow = world.io(admin, 7);
    for (int round = 0; round < 5; round++) {
      world.device.log.clear();
      world.targetMachine.pause();
      int[][] large = new int[deep.size()][30];
      for (int q = 0; q < deep.size(); q++) {
        for (int i = 0; i < large[q].length; i++) {
          large[q][i] = deep.get(q).start(TestQueue.io(Opcode.READ, 1, 0, 2048), null);
        }
      }
      world.sim.runFor(50_000_000L);
      int small = shallow.start(TestQueue.io(Opcode.READ, 1, 5, 1), null);
      world.sim.runFor(50_000_000L);
      world.targetMachine.resume();
      assertThat(shallow.answer(small).status()).isZero();
      int before = world.device.log.indexOf("READ 2560+512");
      assertThat(before).as("reads of 1 MiB begun before the small one, of 90; seed %d", seed)
          .isLessThanOrEqualTo(3 * deep.size());
      for (int q = 0; q < deep.size(); q++) {
        for (int cid : large[q]) {
          assertThat(deep.get(q).answer(cid).status()).isZero();
        }
      }
    }
  }
}
