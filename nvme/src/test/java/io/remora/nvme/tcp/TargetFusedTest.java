package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Compare and write as one command: pairs, broken pairs, and nobody else's write in between. */
class TargetFusedTest {
  private static final int DNR = NvmeStatus.DNR;
  private static final int MISSING = NvmeStatus.MISSING_FUSED_COMMAND | DNR;
  private static final int FAILED = NvmeStatus.FAILED_FUSED_COMMAND | DNR;
  private static final int INVALID_FIELD = NvmeStatus.INVALID_FIELD | DNR;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final TestWorld world = new TestWorld(seed);

  @AfterEach
  void nothingIsLeft() {
    world.close();
  }

  private byte[] bytes(int blocks) {
    byte[] bytes = new byte[blocks * TestWorld.BLOCK];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] compare(long slba, int blocks) {
    return Pdus.with(TestQueue.io(Opcode.COMPARE, 1, slba, blocks), 1, 0x41);
  }

  private static byte[] write(long slba, int blocks) {
    return Pdus.with(TestQueue.io(Opcode.WRITE, 1, slba, blocks), 1, 0x42);
  }

  private void expect(TestQueue queue, int cid, int status) {
    assertThat(Integer.toHexString(queue.answer(cid).status())).as("seed %d", seed)
        .isEqualTo(Integer.toHexString(status));
  }

  @Test
  void writesWhereItCompares() {
    TestQueue admin = world.admin();
    byte[] id = admin.call(TargetAdminTest.identify(1, 0, 0), null).data();
    assertThat(Pdus.view(id).getShort(522)).as("FUSES").isEqualTo((short) 1);
    int most = Pdus.view(id).getShort(532) + 1;
    TestQueue queue = world.io(admin, 1);
    for (int blocks : new int[] {1, 8, 32, most}) {
      byte[] before = world.device.bytes(5 * 512, blocks * 512);
      byte[] after = bytes(blocks);
      world.device.log.clear();
      boolean inline = blocks <= 32 && random.nextBoolean();
      int first = inline ? queue.start(compare(5, blocks), before) : queue.startWithR2t(compare(5, blocks), before);
      int second = blocks <= 32 && random.nextBoolean()
          ? queue.start(write(5, blocks), after)
          : queue.startWithR2t(write(5, blocks), after);
      expect(queue, first, 0);
      expect(queue, second, 0);
      assertThat(world.device.log).containsExactly("COMPARE 2560+" + blocks * 512, "WRITE 2560+" + blocks * 512);
      assertThat(world.device.bytes(5 * 512, blocks * 512)).isEqualTo(after);
    }
    assertThat(world.subsystem.namespaces().getFirst().counts().writes()).isEqualTo(4);
  }

  @Test
  void doesNotWriteWhereItDiffers() {
    TestQueue queue = world.io(world.admin(), 1);
    int first = queue.start(compare(0, 8), bytes(8));
    int second = queue.start(write(0, 8), bytes(8));
    expect(queue, first, NvmeStatus.COMPARE_FAILURE | DNR);
    expect(queue, second, FAILED);
    assertThat(world.device.ops).containsExactly(IoRequest.Op.COMPARE);
    assertThat(world.device.bytes(0, 4096)).containsOnly(0);
    world.device.fail = Status.MEDIUM_ERROR;
    first = queue.start(compare(0, 8), new byte[4096]);
    second = queue.start(write(0, 8), bytes(8));
    expect(queue, first, NvmeStatus.UNRECOVERED_READ_ERROR);
    expect(queue, second, FAILED);
    world.device.fail = Status.OK;
  }

  @Test
  void aHalfAloneIsAborted() {
    TestQueue queue = world.io(world.admin(), 1);
    int second = queue.start(write(0, 1), bytes(1));
    expect(queue, second, MISSING);
    for (boolean fetched : new boolean[] {false, true}) {
      byte[] zeros = new byte[512];
      int alone = fetched ? queue.startWithR2t(compare(0, 1), zeros) : queue.start(compare(0, 1), zeros);
      world.settle();
      assertThat(queue.answered(alone)).isFalse();
      int read = queue.start(TestQueue.io(Opcode.READ, 1, 0, 1), null);
      expect(queue, read, 0);
      expect(queue, alone, MISSING);
      int late = queue.start(write(0, 1), bytes(1));
      expect(queue, late, MISSING);
      alone = queue.start(compare(0, 1), zeros);
      int first = queue.start(compare(0, 1), zeros);
      second = queue.start(write(0, 1), zeros);
      expect(queue, alone, MISSING);
      expect(queue, first, 0);
      expect(queue, second, 0);
    }
  }

  @Test
  void aBadHalfTakesTheOtherWithIt() {
    TestQueue queue = world.io(world.admin(), 1);
    long blocks = TestWorld.SIZE / 512;
    pair(queue, compare(blocks, 1), write(blocks, 1), 1, NvmeStatus.LBA_OUT_OF_RANGE | DNR, FAILED);
    pair(queue, compare(0, 1), write(blocks, 1), 1, FAILED, NvmeStatus.LBA_OUT_OF_RANGE | DNR);
    pair(queue, compare(0, 1), write(1, 1), 1, INVALID_FIELD, INVALID_FIELD);
    pair(queue, compare(0, 129), write(0, 129), 129, NvmeStatus.ATOMIC_WRITE_UNIT_EXCEEDED | DNR, FAILED);
    pair(queue, Pdus.with(TestQueue.io(Opcode.READ, 1, 0, 1), 1, 0x41), write(0, 1), 1, INVALID_FIELD, FAILED);
    pair(queue, compare(0, 1), Pdus.with(TestQueue.io(Opcode.COMPARE, 1, 0, 1), 1, 0x42), 1, FAILED, INVALID_FIELD);
    pair(queue, Pdus.with(compare(0, 1), 4, 9), Pdus.with(write(0, 1), 4, 9), 1,
        NvmeStatus.INVALID_NAMESPACE | DNR, FAILED);
    assertThat(world.device.ops).isEmpty();
    TestQueue admin = world.admin();
    assertThat(admin.call(Pdus.with(TestQueue.sqe(Opcode.KEEP_ALIVE, 0), 1, 0x41), null).status())
        .isEqualTo(INVALID_FIELD);
  }

  private void pair(TestQueue queue, byte[] first, byte[] second, int blocks, int firstStatus, int secondStatus) {
    byte[] data = new byte[blocks * 512];
    int a = blocks > 32 ? queue.startWithR2t(first, data) : queue.start(first, data);
    int b = blocks > 32 ? queue.startWithR2t(second, data) : queue.start(second, data);
    expect(queue, a, firstStatus);
    expect(queue, b, secondStatus);
  }

  @Test
  void dataThatCameDamagedFailsBoth() {
    TestQueue admin = world.admin();
    TestQueue queue = world.queue().initialize(0, false, true);
    queue.connectIo(admin, 1, 31, true);
    for (int damaged = 0; damaged < 2; damaged++) {
      byte[][] entries = {compare(0, 1), write(0, 1)};
      for (int i = 0; i < 2; i++) {
        Pdus.view(entries[i]).putShort(2, (short) (500 + i));
        queue.send(Pdus.pdu(4, 0, Pdus.capsule(entries[i]), new byte[0], false, true));
      }
      int[] tags = new int[2];
      for (int i = 0; i < 2; i++) {
        byte[] r2t = queue.pdu();
        tags[Pdus.view(r2t).getShort(8) - 500] = Pdus.view(r2t).getShort(10);
      }
      for (int i = 0; i < 2; i++) {
        int which = random.nextBoolean() ? i : 1 - i;
        if (i == 1) {
          which = tags[0] < 0 ? 1 : 0;
        }
        byte[] data = Pdus.pdu(6, 4, Pdus.transfer(500 + which, tags[which], 0, 512), new byte[512], false, true);
        data[100] ^= (byte) (which == damaged ? 4 : 0);
        queue.send(data);
        tags[which] = -1;
      }
      expect(queue, 500, damaged == 0 ? NvmeStatus.TRANSIENT_TRANSPORT_ERROR : FAILED);
      expect(queue, 501, damaged == 1 ? NvmeStatus.TRANSIENT_TRANSPORT_ERROR : FAILED);
    }
    assertThat(world.device.ops).isEmpty();
  }

  // Atomicity.

  /**
   * Writers on four connections and two loops replace one block, half of them only if it is still as they have read it. In the order in
   * which the device was written, each of the latter must stand behind what it had compared with.
   */
  @Test
  void nobodyWritesInBetween() {
    TestQueue admin = world.admin();
    List<TestQueue> queues = List.of(world.io(admin, 1), world.io(admin, 2), world.io(admin, 3), world.io(admin, 4));
    List<Integer> written = new ArrayList<>();
    Map<Integer, Integer> expected = new HashMap<>();
    world.device.onSubmit = request -> world.device.delayNs = random.nextInt(5) == 0 ? 0 : random.nextInt(2_000_000);
    world.device.onDone = request -> {
      if (request.op == IoRequest.Op.WRITE) {
        written.add(world.device.memory.get(Pdu.LE32, 4096));
      }
    };
    int next = 1;
    int swapped = 0;
    for (int round = 0; round < 60; round++) {
      int seen = Pdus.view(queues.getFirst().call(TestQueue.io(Opcode.READ, 1, 8, 1), null).data()).getInt(0);
      Map<Integer, Integer> seconds = new HashMap<>();
      int[][] cids = new int[8][];
      for (int i = 0; i < cids.length; i++) {
        TestQueue queue = queues.get(i % 4);
        byte[] block = new byte[512];
        byte[] replacement = new byte[512];
        Pdus.view(block).putInt(0, seen);
        Pdus.view(replacement).putInt(0, next);
        if (random.nextInt(4) > 0) {
          int first = queue.start(compare(8, 1), block);
          cids[i] = new int[] {i % 4, first, queue.start(write(8, 1), replacement)};
          expected.put(next, seen);
          seconds.put(i, next);
        } else {
          cids[i] = new int[] {i % 4, queue.start(TestQueue.io(Opcode.WRITE, 1, 8, 1), replacement)};
        }
        next++;
      }
      for (int i = 0; i < cids.length; i++) {
        TestQueue queue = queues.get(cids[i][0]);
        int status = queue.answer(cids[i][1]).status();
        if (cids[i].length == 3) {
          int second = queue.answer(cids[i][2]).status();
          assertThat(second).isEqualTo(status == 0 ? 0 : FAILED);
          assertThat(written.contains(seconds.get(i))).as("seed %d", seed).isEqualTo(status == 0);
          swapped += status == 0 ? 1 : 0;
        } else {
          assertThat(status).isZero();
        }
      }
    }
    int before = 0;
    for (int value : written) {
      if (expected.containsKey(value)) {
        assertThat(before).as("what stood before %d, seed %d", value, seed).isEqualTo(expected.get(value));
      }
      before = value;
    }
    assertThat(swapped).isBetween(10, 300);
  }

  @Test
  void otherRangesDoNotWait() {
    TestQueue admin = world.admin();
    TestQueue queue = world.io(admin, 1);
    TestQueue sameLoop = world.io(admin, 3);
    TestQueue otherLoop = world.io(admin, 2);
    world.device.holding = true;
    int first = queue.start(compare(8, 2), new byte[1024]);
    int second = queue.start(write(8, 2), bytes(2));
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    int[] held = {sameLoop.start(TestQueue.io(Opcode.WRITE, 1, 9, 1), bytes(1)),
      otherLoop.start(TestQueue.io(Opcode.WRITE, 1, 4, 8), bytes(8)),
      otherLoop.start(TestQueue.io(Opcode.WRITE_ZEROES, 1, 0, 100), null)};
    int free = otherLoop.start(TestQueue.io(Opcode.WRITE, 1, 10, 8), bytes(8));
    int read = sameLoop.start(TestQueue.io(Opcode.READ, 1, 8, 2), null);
    world.settle();
    assertThat(world.device.log).as("seed %d", seed).containsExactlyInAnyOrder("COMPARE 4096+1024", "WRITE 5120+4096",
        "READ 4096+1024");
    world.device.letGo();
    expect(queue, first, 0);
    expect(queue, second, 0);
    expect(otherLoop, free, 0);
    expect(sameLoop, read, 0);
    expect(sameLoop, held[0], 0);
    expect(otherLoop, held[1], 0);
    expect(otherLoop, held[2], 0);
    assertThat(world.device.log.subList(3, 7)).first().isEqualTo("WRITE 4096+1024");
  }

  @Test
  void waitsForWritesThatHaveBegun() {
    TestQueue admin = world.admin();
    TestQueue queue = world.io(admin, 1);
    TestQueue other = world.io(admin, 2);
    world.device.holding = true;
    byte[] data = bytes(4);
    int plain = other.start(TestQueue.io(Opcode.WRITE, 1, 6, 4), data);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    byte[] last = Arrays.copyOfRange(data, 3 * 512, 4 * 512);
    int first = queue.start(compare(9, 1), last);
    int second = queue.start(write(9, 1), bytes(1));
    world.settle();
    assertThat(world.device.ops).containsExactly(IoRequest.Op.WRITE);
    world.device.letGo();
    expect(other, plain, 0);
    expect(queue, first, 0);
    expect(queue, second, 0);
  }

  @Test
  void aPairOutlivesItsConnectionAndWhatWaitedForItDoesNot() {
    TestQueue admin = world.admin();
    TestQueue queue = world.io(admin, 1);
    TestQueue gone = world.io(admin, 2);
    TestQueue stays = world.io(admin, 3);
    world.device.holding = true;
    queue.start(compare(8, 1), new byte[512]);
    byte[] swapped = bytes(1);
    queue.start(write(8, 1), swapped);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    gone.start(TestQueue.io(Opcode.WRITE, 1, 8, 1), bytes(1));
    // Halves in every state: alone, and with data that never comes.
    gone.start(compare(0, 1), new byte[512]);
    gone.send(Pdus.pdu(4, 0, Pdus.capsule(write(0, 1)), new byte[0], false, false));
    gone.start(compare(1, 1), new byte[512]);
    int waits = stays.start(TestQueue.io(Opcode.WRITE, 1, 8, 1), swapped);
    world.settle();
    queue.reset();
    gone.reset();
    world.settle();
    world.device.letGo();
    expect(stays, waits, 0);
    world.settle();
    assertThat(world.device.ops).containsExactly(IoRequest.Op.COMPARE, IoRequest.Op.WRITE, IoRequest.Op.WRITE);
    assertThat(world.device.bytes(4096, 512)).isEqualTo(swapped);
  }

  @Test
  void aNamespaceGoesAwayWhileWritesWait() {
    TestQueue admin = world.admin();
    TestQueue queue = world.io(admin, 1);
    TestQueue other = world.io(admin, 2);
    world.device.holding = true;
    int first = queue.start(compare(8, 1), new byte[512]);
    int second = queue.start(write(8, 1), bytes(1));
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    int waits = other.start(TestQueue.io(Opcode.WRITE, 1, 8, 1), bytes(1));
    world.settle();
    var released = world.subsystem.removeNamespace(1);
    world.settle();
    assertThat(released).isNotDone();
    world.device.letGo();
    expect(queue, first, 0);
    expect(queue, second, 0);
    expect(other, waits, 0);
    world.await(released);
    assertThat(world.device.openChannels).isZero();
  }
}
