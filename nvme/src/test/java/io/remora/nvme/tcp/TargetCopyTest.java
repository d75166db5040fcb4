package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.TargetConfig;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Copy within a namespace, against a model. */
class TargetCopyTest {
  private static final int DNR = NvmeStatus.DNR;
  private static final int BLOCKS = (int) (TestWorld.SIZE / TestWorld.BLOCK);

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final TestWorld world = new TestWorld(seed, TargetConfig.DEFAULT.withMemory(32 << 20, 2 << 20));

  @AfterEach
  void nothingIsLeft() {
    world.close();
  }

  private static byte[] copy(long to, int ranges) {
    byte[] sqe = TestQueue.sqe(Opcode.COPY, 1);
    Pdus.view(sqe).putLong(40, to).putInt(48, ranges - 1);
    return sqe;
  }

  private static byte[] ranges(long... firstAndBlocks) {
    byte[] bytes = new byte[firstAndBlocks.length * 16];
    for (int i = 0; i < firstAndBlocks.length; i += 2) {
      Pdus.view(bytes).putLong(i * 16 + 8, firstAndBlocks[i]).putShort(i * 16 + 16,
          (short) (firstAndBlocks[i + 1] - 1));
    }
    return bytes;
  }

  private byte[] fill() {
    byte[] model = new byte[(int) TestWorld.SIZE];
    random.nextBytes(model);
    world.device.memory.asSlice(0, model.length).copyFrom(java.lang.foreign.MemorySegment.ofArray(model));
    return model;
  }

  @Test
  void copiesAsAModelDoes() {
    TestQueue admin = world.admin();
    ByteBuffer id = Pdus.view(admin.call(TargetAdminTest.identify(1, 0, 0), null).data());
    ByteBuffer namespace = Pdus.view(admin.call(TargetAdminTest.identify(0, 1, 0), null).data());
    assertThat(id.getShort(520) & 1 << 8).as("ONCS").isNotZero();
    assertThat(id.getShort(534)).as("formats").isEqualTo((short) 1);
    int mssrl = namespace.getShort(74) & 0xffff;
    int mcl = namespace.getInt(76);
    int msrc = (namespace.get(80) & 0xff) + 1;
    assertThat(mssrl).isEqualTo(2048);
    assertThat(mcl).isEqualTo(2048);
    assertThat(msrc).isEqualTo(128);
    TestQueue queue = world.io(admin, 1);
    byte[] model = fill();
    for (int round = 0; round < 80; round++) {
      int count = round % 4 == 0 ? 1 : 1 + random.nextInt(msrc);
      long[] ranges = new long[2 * count];
      byte[] moved = new byte[mcl * 512];
      int total = 0;
      for (int i = 0; i < count; i++) {
        int blocks = count == 1 ? 1 + random.nextInt(mssrl) : 1 + random.nextInt(mcl / count);
        int first = random.nextInt(BLOCKS - blocks + 1);
        ranges[2 * i] = first;
        ranges[2 * i + 1] = blocks;
        System.arraycopy(model, first * 512, moved, total * 512, blocks * 512);
        total += blocks;
      }
      // Often into its own source.
      int to = random.nextBoolean()
          ? random.nextInt(BLOCKS - total + 1)
          : Math.min(BLOCKS - total, (int) ranges[0] + random.nextInt((int) ranges[1]));
      byte[] list = ranges(ranges);
      Reply reply = random.nextBoolean() ? queue.call(copy(to, count), list) : queue.callWithR2t(copy(to, count), list);
      assertThat(reply.status()).as("seed %d", seed).isZero();
      System.arraycopy(moved, 0, model, to * 512, total * 512);
      assertThat(world.device.bytes(0, model.length)).as("round %d, seed %d", round, seed).isEqualTo(model);
    }
  }

  @Test
  void isOneWriteAndMayBeForced() {
    TestQueue queue = world.io(world.admin(), 1);
    byte[] forced = copy(100, 2);
    Pdus.view(forced).putInt(48, 1 | 1 << 30);
    assertThat(queue.call(forced, ranges(0, 3, 50, 2)).status()).isZero();
    assertThat(world.device.log).containsExactly("READ 0+1536", "READ 25600+1024", "WRITE 51200+2560 FUA");
  }

  @Test
  void limitsAndRangesHold() {
    TestQueue queue = world.io(world.admin(), 1);
    byte[] model = fill();
    int limit = NvmeStatus.COMMAND_SIZE_LIMIT_EXCEEDED | DNR;
    int outside = NvmeStatus.LBA_OUT_OF_RANGE | DNR;
    assertThat(queue.call(copy(0, 1), ranges(10, 2049)).status()).as("MSSRL").isEqualTo(limit);
    assertThat(queue.call(copy(0, 1), ranges(10, 65536)).status()).as("MSSRL").isEqualTo(limit);
    assertThat(queue.call(copy(0, 2), ranges(10, 2048, 0, 1)).status()).as("MCL").isEqualTo(limit);
    assertThat(queue.call(copy(0, 129), new byte[129 * 32]).status()).as("MSRC").isEqualTo(limit);
    assertThat(queue.call(copy(0, 256), new byte[8192]).status()).as("MSRC").isEqualTo(limit);
    assertThat(queue.call(copy(0, 2), ranges(0, 1, BLOCKS - 1, 2)).status()).as("source").isEqualTo(outside);
    assertThat(queue.call(copy(0, 1), ranges(-1, 1)).status()).as("source").isEqualTo(outside);
    assertThat(queue.call(copy(BLOCKS - 1, 1), ranges(0, 2)).status()).as("destination").isEqualTo(outside);
    assertThat(queue.call(copy(-1, 1), ranges(0, 2)).status()).as("destination").isEqualTo(outside);
    assertThat(queue.call(copy(0, 2), ranges(0, 2)).status()).isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | DNR);
    for (int format = 1; format < 16; format++) {
      byte[] other = copy(0, 1);
      Pdus.view(other).putInt(48, format << 8);
      assertThat(queue.call(other, ranges(0, 2)).status()).as("format %d", format)
          .isEqualTo(NvmeStatus.INVALID_FIELD | DNR);
    }
    assertThat(queue.call(Pdus.with(copy(0, 1), 4, 9), ranges(0, 2)).status())
        .isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    assertThat(world.device.ops).isEmpty();
    assertThat(world.device.bytes(0, model.length)).isEqualTo(model);
  }

  @Test
  void saysWhichRangeCouldNotBeCopied() {
    TestQueue queue = world.io(world.admin(), 1);
    int[] reads = {0};
    world.device.onSubmit = request -> {
      reads[0]++;
      world.device.fail = reads[0] == 3 ? Status.MEDIUM_ERROR : Status.OK;
    };
    Reply reply = queue.call(copy(100, 4), ranges(0, 1, 1, 1, 2, 1, 3, 1));
    assertThat(reply.status()).isEqualTo(NvmeStatus.UNRECOVERED_READ_ERROR);
    assertThat(reply.result()).isEqualTo(2);
    assertThat(world.device.ops).doesNotContain(IoRequest.Op.WRITE);
    world.device.onSubmit = request -> world.device.fail = request.op == IoRequest.Op.WRITE
        ? Status.NO_SPACE
        : Status.OK;
    reply = queue.call(copy(100, 2), ranges(0, 1, 1, 1));
    assertThat(reply.status()).isEqualTo(NvmeStatus.CAPACITY_EXCEEDED | DNR);
    assertThat(reply.result()).as("nothing was copied").isZero();
    world.device.onSubmit = request -> {};
    world.device.fail = Status.OK;
  }

  @Test
  void manyAtOnceShareTheMemory() {
    TestQueue admin = world.admin();
    TestQueue[] queues = {world.io(admin, 1), world.io(admin, 2), world.io(admin, 3)};
    int[][] cids = new int[3][20];
    for (int i = 0; i < 20; i++) {
      for (int q = 0; q < 3; q++) {
        cids[q][i] = queues[q].start(copy(random.nextInt(1000), 2), ranges(0, 1024, 1024, 1024));
      }
    }
    for (int q = 0; q < 3; q++) {
      for (int cid : cids[q]) {
        assertThat(queues[q].answer(cid).status()).as("seed %d", seed).isZero();
      }
    }
  }

  @Test
  void aCopyEndsWithItsConnection() {
    TestQueue admin = world.admin();
    TestQueue queue = world.io(admin, 1);
    world.device.holding = true;
    for (int i = 0; i < 10; i++) {
      queue.start(copy(3000, 3), ranges(0, 500, 500, 500, 1000, 500));
    }
    world.sim.runUntil(() -> world.device.held >= 2, TestWorld.LIMIT_NS);
    queue.reset();
    world.settle();
    world.device.letGo();
    world.settle();
    assertThat(world.device.ops).as("not one step further").hasSize(world.device.held)
        .containsOnly(IoRequest.Op.READ);
  }
}
