package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The I/O command set over a simulated network that cuts the streams anywhere. */
class TargetTest {
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final TestWorld world = new TestWorld(seed);

  @AfterEach
  void nothingIsLeft() {
    world.close();
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  @Test
  void readsAndWritesInEveryWay() {
    TestQueue admin = world.admin();
    int qid = 1;
    for (boolean flowControl : new boolean[] {true, false}) {
      for (boolean hdgst : new boolean[] {true, false}) {
        for (boolean ddgst : new boolean[] {true, false}) {
          TestQueue queue = world.queue().initialize(random.nextInt(32), hdgst, ddgst);
          queue.connectIo(admin, qid++, 31, !flowControl);
          for (int i = 0; i < 6; i++) {
            int blocks = 1 + random.nextInt(i < 4 ? 32 : 1000);
            long slba = random.nextInt(4000);
            byte[] data = bytes(blocks * TestWorld.BLOCK);
            queue.maxData = 500 + random.nextInt(200_000);
            byte[] write = TestQueue.io(Opcode.WRITE, 1, slba, blocks);
            Reply written = data.length <= 16384 && random.nextBoolean()
                ? queue.call(write, data)
                : queue.callWithR2t(write, data);
            assertThat(written.status()).as("seed %d", seed).isZero();
            Reply read = queue.call(TestQueue.io(Opcode.READ, 1, slba, blocks), null);
            assertThat(read.status()).isZero();
            assertThat(read.data()).as("seed %d", seed).isEqualTo(data);
            assertThat(read.sqhd()).isEqualTo(flowControl ? (1 + 2 * (i + 1)) % 32 : -1);
          }
        }
      }
    }
  }

  @Test
  void manyCommandsAtOnce() {
    TestQueue queue = world.io(world.admin(), 1);
    byte[] content = bytes((int) TestWorld.SIZE);
    for (int round = 0; round < 5; round++) {
      int[] cids = new int[31];
      for (int i = 0; i < cids.length; i++) {
        byte[] data = java.util.Arrays.copyOfRange(content, i * 65536, i * 65536 + (1 + random.nextInt(128)) * 512);
        byte[] sqe = TestQueue.io(Opcode.WRITE, 1, i * 128L, data.length / 512);
        cids[i] = data.length <= 8192 ? queue.start(sqe, data) : queue.startWithR2t(sqe, data);
      }
      for (int cid : cids) {
        assertThat(queue.answer(cid).status()).as("seed %d", seed).isZero();
      }
    }
    int[] cids = new int[31];
    for (int i = 0; i < cids.length; i++) {
      cids[i] = queue.start(TestQueue.io(Opcode.READ, 1, i * 128L, 128), null);
    }
    for (int i = 0; i < cids.length; i++) {
      assertThat(queue.answer(cids[i]).data()).isEqualTo(world.device.bytes(i * 65536L, 65536));
    }
  }

  @Test
  void everyCommandReachesTheDevice() {
    TestQueue queue = world.io(world.admin(), 1);
    byte[] data = bytes(4096);
    byte[] write = TestQueue.io(Opcode.WRITE, 1, 8, 8);
    Pdus.view(write).putShort(50, (short) 0x4000);
    assertThat(queue.call(write, data).status()).isZero();
    assertThat(world.device.log).containsExactly("WRITE 4096+4096 FUA");
    assertThat(queue.call(TestQueue.io(Opcode.COMPARE, 1, 8, 8), data).status()).isZero();
    assertThat(queue.call(TestQueue.io(Opcode.COMPARE, 1, 7, 8), data).status())
        .isEqualTo(NvmeStatus.COMPARE_FAILURE | NvmeStatus.DNR);
    assertThat(queue.call(TestQueue.sqe(Opcode.FLUSH, 1), null).status()).isZero();
    assertThat(queue.call(TestQueue.io(Opcode.VERIFY, 1, 0, 2048), null).status()).isZero();
    assertThat(queue.call(TestQueue.io(Opcode.WRITE_ZEROES, 1, 9, 2), null).status()).isZero();
    world.device.ops.clear();
    assertThat(world.device.bytes(9 * 512, 1024)).containsOnly(0);
    assertThat(world.device.bytes(8 * 512, 512)).isEqualTo(java.util.Arrays.copyOf(data, 512));
    byte[] ranges = new byte[random.nextBoolean() ? 48 : 4096];
    Pdus.view(ranges).putInt(4, 1).putLong(8, 8).putInt(20, 0).putLong(24, 1).putInt(36, 3).putLong(40, 12);
    byte[] dsm = TestQueue.sqe(Opcode.DATASET_MANAGEMENT, 1);
    Pdus.view(dsm).putInt(40, 2).putInt(44, 4);
    assertThat(queue.call(dsm, ranges).status()).isZero();
    assertThat(world.device.ops).containsExactly(IoRequest.Op.DEALLOCATE, IoRequest.Op.DEALLOCATE);
    assertThat(world.device.bytes(8 * 512, 512)).containsOnly(0);
    assertThat(world.device.bytes(12 * 512, 1536)).containsOnly(0);
    assertThat(world.device.bytes(15 * 512, 512)).isEqualTo(java.util.Arrays.copyOfRange(data, 7 * 512, 8 * 512));
  }

  @Test
  void wrongFieldsAreRefusedBeforeAnythingHappens() {
    TestQueue queue = world.io(world.admin(), 1);
    int dnr = NvmeStatus.DNR;
    long blocks = TestWorld.SIZE / TestWorld.BLOCK;
    byte[] block = bytes(512);
    expect(queue, TestQueue.io(Opcode.READ, 1, blocks, 1), NvmeStatus.LBA_OUT_OF_RANGE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, 1, blocks - 1, 2), NvmeStatus.LBA_OUT_OF_RANGE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, 1, Long.MAX_VALUE, 1), NvmeStatus.LBA_OUT_OF_RANGE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, 1, -1, 2), NvmeStatus.LBA_OUT_OF_RANGE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, 1, 1L << 55, 1), NvmeStatus.LBA_OUT_OF_RANGE | dnr);
    expect(queue, TestQueue.io(Opcode.WRITE_ZEROES, 1, blocks - 1, 2), NvmeStatus.LBA_OUT_OF_RANGE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, 2, 0, 1), NvmeStatus.INVALID_NAMESPACE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, 0, 0, 1), NvmeStatus.INVALID_NAMESPACE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, -1, 0, 1), NvmeStatus.INVALID_NAMESPACE | dnr);
    expect(queue, TestQueue.io(Opcode.READ, 1, 0, 4096), NvmeStatus.INVALID_FIELD | dnr);
    expect(queue, TestQueue.sqe(0x77, 1), NvmeStatus.INVALID_OPCODE | dnr);
    expect(queue, TestQueue.sqe(Opcode.WRITE_UNCORRECTABLE, 1), NvmeStatus.INVALID_OPCODE | dnr);
    byte[] read = TestQueue.io(Opcode.READ, 1, 0, 2);
    expect(queue, Pdus.with(read, 1, 0), NvmeStatus.INVALID_FIELD | dnr);
    expect(queue, Pdus.with(read, 1, 0x80), NvmeStatus.INVALID_FIELD | dnr);
    expect(queue, Pdus.with(read, 1, 0x41), NvmeStatus.INVALID_FIELD | dnr);
    expect(queue, Pdus.with(read, 39, 0x40), NvmeStatus.INVALID_SGL_TYPE | dnr);
    expect(queue, Pdus.with(read, 39, 0x01), NvmeStatus.INVALID_FIELD | dnr);
    expect(queue, Pdus.with(read, 33, 2), NvmeStatus.INVALID_SGL_LENGTH | dnr);
    expect(queue, Pdus.with(read, 35, 0xff), NvmeStatus.INVALID_SGL_LENGTH | dnr);
    byte[] write = TestQueue.io(Opcode.WRITE, 1, 0, 1);
    write[39] = 1;
    expect(queue, write, NvmeStatus.INVALID_SGL_OFFSET | dnr);
    assertThat(queue.call(TestQueue.io(Opcode.WRITE, 1, 0, 2), block).status())
        .isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | dnr);
    byte[] dsm = TestQueue.sqe(Opcode.DATASET_MANAGEMENT, 1);
    Pdus.view(dsm).putInt(44, 4);
    byte[] range = new byte[16];
    Pdus.view(range).putInt(4, -1).putLong(8, 0);
    assertThat(queue.call(dsm, range).status()).isEqualTo(NvmeStatus.LBA_OUT_OF_RANGE | dnr);
    assertThat(queue.call(dsm, new byte[15]).status()).isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | dnr);
    assertThat(queue.call(dsm, new byte[4100]).status()).isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | dnr);
    assertThat(world.device.ops).isEmpty();
    assertThat(queue.call(TestQueue.io(Opcode.READ, 1, blocks - 1, 1), null).status()).isZero();
  }

  private void expect(TestQueue queue, byte[] sqe, int status) {
    Reply reply = queue.call(sqe, null);
    assertThat(Integer.toHexString(reply.status())).as("seed %d", seed).isEqualTo(Integer.toHexString(status));
    assertThat(reply.data()).isEmpty();
  }

  @Test
  void deviceErrorsBecomeNvmeStatus() {
    TestQueue queue = world.io(world.admin(), 1);
    world.device.fail = Status.MEDIUM_ERROR;
    assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status())
        .isEqualTo(NvmeStatus.UNRECOVERED_READ_ERROR);
    assertThat(queue.call(TestQueue.io(Opcode.WRITE, 1, 0, 1), bytes(512)).status())
        .isEqualTo(NvmeStatus.WRITE_FAULT);
    world.device.fail = Status.NO_SPACE;
    assertThat(queue.callWithR2t(TestQueue.io(Opcode.WRITE, 1, 0, 1), bytes(512)).status())
        .isEqualTo(NvmeStatus.CAPACITY_EXCEEDED | NvmeStatus.DNR);
    world.device.fail = Status.OK;
    assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero();
    assertThat(world.subsystem.namespaces().getFirst().counts().mediaErrors()).isEqualTo(2);
  }

  @Test
  void badDataDigestEndsTheCommandOnly() {
    TestQueue admin = world.admin();
    TestQueue queue = world.queue().initialize(0, true, true);
    queue.connectIo(admin, 1, 31, true);
    byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 1);
    Pdus.view(sqe).putShort(2, (short) 500);
    sqe[39] = 1;
    byte[] inline = Pdus.pdu(4, 0, Pdus.capsule(sqe), bytes(512), true, true);
    inline[100] ^= 1;
    queue.send(inline);
    assertThat(queue.answer(500).status()).isEqualTo(NvmeStatus.TRANSIENT_TRANSPORT_ERROR);
    sqe[39] = 0x5A;
    Pdus.view(sqe).putShort(2, (short) 501);
    queue.send(Pdus.pdu(4, 0, Pdus.capsule(sqe), new byte[0], true, true));
    byte[] r2t = queue.pdu();
    int ttag = Pdus.view(r2t).getShort(10);
    byte[] data = Pdus.pdu(6, 4, Pdus.transfer(501, ttag, 0, 512), bytes(512), true, true);
    data[200] ^= 8;
    queue.send(data);
    assertThat(queue.answer(501).status()).isEqualTo(NvmeStatus.TRANSIENT_TRANSPORT_ERROR);
    assertThat(world.device.ops).isEmpty();
    byte[] good = bytes(1024);
    assertThat(queue.call(TestQueue.io(Opcode.WRITE, 1, 5, 2), good).status()).isZero();
    assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 5, 2), null).data()).isEqualTo(good);
  }
}
