package io.remora.nvme.rdma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.TargetConfig;
import io.remora.verbs.Access;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The target's end of NVMe/RDMA, spoken to in verbs by a host that may do anything. */
class RdmaTargetTest {
  private static byte[] pattern(int seed, int length) {
    byte[] bytes = new byte[length];
    new java.util.SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  // Connecting.

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      1 | 0 |  0 |  0 |  32 | 0 | 16 | 4
      1 | 0 |  0 |  0 |  32 | 0 | 16 | 0
      2 | 1 |  0 | 32 |  31 | 0 | 16 | 32
      3 | 0 | 65 | 32 |  31 | 0 | 16 | 32
      4 | 0 |  0 | 32 |   0 | 0 | 16 | 32
      4 | 0 |  1 | 999 | 128 | 0 | 16 | 32
      5 | 0 |  1 | 30 |  31 | 0 | 16 | 32
      5 | 0 |  0 |  0 |  31 | 0 | 16 | 32
      7 | 0 |  0 | 32 |  31 | 0 |  0 | 32
      9 | 0 |  1 | 32 |  31 | 7 | 16 | 32
      """)
  void privateDataIsCheckedAndRejectedWithTheStatus(int status, int format, int queue, int receives, int last,
      int cntlid, int reads, int length) {
    try (RdmaWorld world = new RdmaWorld(1)) {
      MemorySegment data = new PrivateData.Request(format, queue, receives, last, cntlid).encode();
      RawQueue raw = world.connecting(length == 0 ? MemorySegment.NULL : data.asSlice(0, length), reads);
      assertThat(raw.rejectStatus).isEqualTo(status);
      // It is there for others.
      assertThat(world.queue(0).established).isNotNull();
    }
  }

  @Test
  void acceptanceSaysHowManyReceivesThereAre() {
    try (RdmaWorld world = new RdmaWorld(2)) {
      RawQueue raw = world.connecting(new PrivateData.Request(0, 3, 77, 76, 0).encode(), 16);
      assertThat(raw.established).isNotNull();
      assert raw.established != null;
      assertThat(PrivateData.Accept.parse(raw.established.privateData())).isEqualTo(new PrivateData.Accept(0, 77));
      assertThat(raw.established.privateData().byteSize()).isGreaterThanOrEqualTo(32);
    }
  }

  @Test
  void aQueueIsWhatItsConnectionWasMadeFor() {
    try (RdmaWorld world = new RdmaWorld(3)) {
      RawQueue admin = world.admin();
      assertThat(world.queue(2).tryConnect(1, 31, RdmaWorld.NQN, admin.controllerId).status())
          .isEqualTo(NvmeStatus.CONNECT_INVALID_PARAMETERS | NvmeStatus.DNR);
      assertThat(world.queue(2).tryConnect(2, 32, RdmaWorld.NQN, admin.controllerId).status())
          .as("more entries than receives")
          .isEqualTo(NvmeStatus.CONNECT_INVALID_PARAMETERS | NvmeStatus.DNR);
      assertThat(world.queue(2).tryConnect(2, 31, RdmaWorld.NQN, admin.controllerId).status()).isZero();
    }
  }

  @Test
  void theControllerIsNamedOnceItIsThere() {
    try (RdmaWorld world = new RdmaWorld(4)) {
      RawQueue admin = world.admin();
      RawQueue io = world.connecting(new PrivateData.Request(0, 1, 32, 31, admin.controllerId).encode(), 16);
      io.connect(RdmaWorld.NQN, admin.controllerId);
    }
  }

  @Test
  void identifyAndTheDiscoveryLogSpeakOfRdma() {
    try (RdmaWorld world = new RdmaWorld(5)) {
      RawQueue admin = world.admin();
      byte[] identify = RawQueue.sqe(Opcode.IDENTIFY, 0);
      RawQueue.view(identify).putInt(40, 1);
      assertThat(admin.call(admin.keyed(identify, 0x40, 8192, 4096)).status()).isZero();
      ByteBuffer b = RawQueue.view(admin.get(8192, 4096));
      assertThat(b.getInt(536) & (1 | 1 << 2 | 1 << 20)).as("SGLS").isEqualTo(1 | 1 << 2 | 1 << 20);
      assertThat(b.getInt(1792)).as("IOCCSZ").isEqualTo((64 + 4096) / 16);
      assertThat(b.getInt(1796)).as("IORCSZ").isEqualTo(1);
      assertThat(b.getShort(1800)).as("ICDOFF").isZero();
      assertThat(b.get(1803)).as("MSDBD").isEqualTo((byte) 1);
      assertThat(b.getShort(514)).as("MAXCMD").isEqualTo((short) 128);
      byte[] cap = RawQueue.sqe(Opcode.FABRICS, Opcode.PROPERTY_GET);
      RawQueue.view(cap).put(40, (byte) 1);
      assertThat(admin.call(cap).result() & 0xffff).as("MQES").isEqualTo(127);

      RawQueue discovery = world.queue(0);
      discovery.connect("nqn.2014-08.org.nvmexpress.discovery", 0xffff);
      discovery.enable();
      byte[] log = RawQueue.sqe(Opcode.GET_LOG_PAGE, 0);
      RawQueue.view(log).putInt(40, 0x70 | (2048 / 4 - 1) << 16);
      assertThat(discovery.call(discovery.keyed(log, 0x40, 8192, 2048)).status()).isZero();
      byte[] entry = discovery.get(8192 + 1024, 1024);
      assertThat(entry[0]).as("TRTYPE").isEqualTo((byte) 1);
      assertThat(entry[1]).as("ADRFAM").isEqualTo((byte) 1);
      assertThat(new String(entry, 32, 4, java.nio.charset.StandardCharsets.US_ASCII)).isEqualTo("4420");
      assertThat(Arrays.copyOfRange(entry, 768, 771)).as("RC, no known fabric, RDMA_CM").containsExactly(1, 1, 1);
    }
  }

  // Data.

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 12288, 131072, 524288})
  void dataIsReadFromAndWrittenToTheHost(int length) {
    try (RdmaWorld world = new RdmaWorld(6)) {
      RawQueue io = world.io(world.admin(), 1);
      byte[] bytes = pattern(length, length);
      io.put(0, bytes);
      RawQueue.Reply written = io.call(io.keyed(RawQueue.io(Opcode.WRITE, 3, length / 512), 0x40, 0, length));
      assertThat(written.status()).isZero();
      assertThat(written.invalidated()).isFalse();
      assertThat(written.sqhd()).isEqualTo(2);
      assertThat(world.device.bytes(3 * 512, length)).isEqualTo(bytes);
      io.put(0, new byte[length]);
      assertThat(
          io.call(io.keyed(RawQueue.io(Opcode.READ, 3, length / 512), 0x40, 1024, length))
              .status())
          .isZero();
      assertThat(io.get(1024, length)).isEqualTo(bytes);
    }
  }

  @Test
  void theHostsKeyIsInvalidatedWhenItAsks() {
    try (RdmaWorld world = new RdmaWorld(7)) {
      RawQueue io = world.io(world.admin(), 1);
      byte[] bytes = pattern(7, 8192);
      io.put(4096, bytes);
      int key = io.export(4096, 8192, Access.REMOTE_READ);
      RawQueue.Reply written = io
          .call(RawQueue.keyed(RawQueue.io(Opcode.WRITE, 0, 16), 0x4f, io.data.address() + 4096, 8192, key));
      assertThat(written).isEqualTo(new RawQueue.Reply(written.cid(), 0, 0, 2, true, key));
      assertThat(world.device.bytes(0, 8192)).isEqualTo(bytes);
      // It is of no more use.
      io.start(RawQueue.keyed(RawQueue.io(Opcode.WRITE, 0, 16), 0x40, io.data.address() + 4096, 8192, key),
          new byte[0]);
      io.awaitEnd();
    }
  }

  @Test
  void aCommandThatFailsWritesNothingAndInvalidatesAllTheSame() {
    try (RdmaWorld world = new RdmaWorld(8)) {
      RawQueue io = world.io(world.admin(), 1);
      int key = io.export(0, 4096, Access.REMOTE_WRITE);
      byte[] before = pattern(8, 4096);
      io.put(0, before);
      RawQueue.Reply reply = io
          .call(RawQueue.keyed(RawQueue.io(Opcode.READ, RdmaWorld.SIZE / 512, 8), 0x4f, io.data.address(), 4096, key));
      assertThat(NvmeStatus.code(reply.status())).isEqualTo(NvmeStatus.LBA_OUT_OF_RANGE);
      assertThat(reply.invalidated()).isTrue();
      assertThat(io.get(0, 4096)).isEqualTo(before);
    }
  }

  @Test
  void dataInACapsuleGoesToTheDeviceFromWhereItCame() {
    try (RdmaWorld world = new RdmaWorld(9)) {
      RawQueue io = world.io(world.admin(), 1);
      long[] address = new long[1];
      world.device.onSubmit(request -> address[0] = request.op == IoRequest.Op.WRITE ? request.sgl.address(0) : 0);
      byte[] bytes = pattern(9, 4096);
      byte[] sqe = RawQueue.io(Opcode.WRITE, 8, 8);
      RawQueue.view(sqe).putLong(24, 0).putInt(32, 4096).put(39, (byte) 1);
      assertThat(io.call(sqe, bytes).status()).isZero();
      assertThat(world.device.bytes(4096, 4096)).isEqualTo(bytes);
      assertThat(address[0] % 4096).as("page aligned").isZero();
      // At an offset too, and never outside.
      byte[] part = RawQueue.io(Opcode.WRITE, 0, 1);
      RawQueue.view(part).putLong(24, 1024).putInt(32, 512).put(39, (byte) 1);
      assertThat(io.call(part, bytes).status()).isZero();
      assertThat(world.device.bytes(0, 512)).isEqualTo(Arrays.copyOfRange(bytes, 1024, 1536));
      RawQueue.view(part).putLong(24, 3585);
      assertThat(NvmeStatus.code(io.call(part, bytes).status())).isEqualTo(NvmeStatus.INVALID_SGL_OFFSET);
      RawQueue.view(part).putLong(24, -512);
      assertThat(NvmeStatus.code(io.call(part, bytes).status())).isEqualTo(NvmeStatus.INVALID_SGL_OFFSET);
    }
  }

  @Test
  void moreCommandsThanSlotsOfTheDeviceKeepTheirData() {
    try (RdmaWorld world = new RdmaWorld(10)) {
      RawQueue io = world.io(world.admin(), 1);
      world.device.delayNs(100_000);
      int[] cids = new int[31];
      for (int round = 0; round < 4; round++) {
        for (int i = 0; i < cids.length; i++) {
          byte[] sqe = RawQueue.io(Opcode.WRITE, 8L * i, 8);
          if (i % 2 == 0) {
            RawQueue.view(sqe).putLong(24, 0).putInt(32, 4096).put(39, (byte) 1);
            cids[i] = io.start(sqe, pattern(round * 100 + i, 4096));
          } else {
            io.put(i * 4096L, pattern(round * 100 + i, 4096));
            cids[i] = io.start(io.keyed(sqe, 0x40, i * 4096L, 4096), new byte[0]);
          }
        }
        for (int i = 0; i < cids.length; i++) {
          assertThat(io.answer(cids[i]).status()).isZero();
          assertThat(world.device.bytes(i * 4096L, 4096)).isEqualTo(pattern(round * 100 + i, 4096));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0x5a, 0x41, 0x42, 0x00, 0x4e})
  void otherSglsAreRefusedByName(int type) {
    try (RdmaWorld world = new RdmaWorld(11)) {
      RawQueue io = world.io(world.admin(), 1);
      assertThat(io.call(io.keyed(RawQueue.io(Opcode.READ, 0, 1), type, 0, 512)).status())
          .isEqualTo(NvmeStatus.INVALID_SGL_TYPE | NvmeStatus.DNR);
      assertThat(io.call(io.keyed(RawQueue.io(Opcode.READ, 0, 1), 0x40, 0, 1024)).status())
          .isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | NvmeStatus.DNR);
    }
  }

  // Ends.

  @Test
  void aKeyThatDoesNotHoldEndsTheConnection() {
    try (RdmaWorld world = new RdmaWorld(12)) {
      RawQueue admin = world.admin();
      RawQueue bad = world.io(admin, 1);
      RawQueue good = world.io(admin, 2);
      bad.start(
          RawQueue.keyed(RawQueue.io(Opcode.READ, 0, 8), 0x40, bad.data.address(), 4096, bad.data.remoteKey() ^ 1),
          new byte[0]);
      bad.awaitEnd();
      assertThat(good.call(good.keyed(RawQueue.io(Opcode.READ, 0, 8), 0x40, 0, 4096)).status()).isZero();
      // Its place is free again.
      world.io(admin, 1);
    }
  }

  @Test
  void aWriteOutsideOfWhatWasExportedTouchesNothing() {
    try (RdmaWorld world = new RdmaWorld(13)) {
      RawQueue io = world.io(world.admin(), 1);
      int key = io.export(0, 4096, Access.REMOTE_WRITE);
      byte[] before = pattern(13, 16384);
      io.put(0, before);
      io.start(RawQueue.keyed(RawQueue.io(Opcode.READ, 0, 16), 0x40, io.data.address(), 8192, key), new byte[0]);
      io.awaitEnd();
      assertThat(io.get(0, 16384)).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 63})
  void aShortCapsuleEndsTheConnection(int length) {
    try (RdmaWorld world = new RdmaWorld(14)) {
      RawQueue io = world.io(world.admin(), 1);
      io.raw(new byte[length], new byte[0]);
      io.awaitEnd();
    }
  }

  @Test
  void aCapsuleThatIsTooLongEndsTheConnection() {
    try (RdmaWorld world = new RdmaWorld(15)) {
      RawQueue admin = world.admin();
      RawQueue io = world.io(admin, 1);
      io.raw(new byte[64], new byte[4097]);
      io.awaitEnd();
      // An admin queue takes commands alone.
      admin.raw(new byte[64], new byte[1]);
      admin.awaitEnd();
    }
  }

  @Test
  void aHostThatDoesNotComeToConnectIsDropped() {
    try (RdmaWorld world = new RdmaWorld(16)) {
      RawQueue silent = world.queue(0);
      long before = world.sim.nowNs();
      silent.awaitEnd();
      assertThat(world.sim.nowNs() - before).isBetween(9 * RdmaWorld.SECOND, 12 * RdmaWorld.SECOND);
    }
  }

  @Test
  void disconnectIsAnsweredBeforeTheEnd() {
    try (RdmaWorld world = new RdmaWorld(17)) {
      RawQueue io = world.io(world.admin(), 1);
      assertThat(io.call(RawQueue.sqe(Opcode.FABRICS, Opcode.DISCONNECT)).status()).isZero();
      io.awaitEnd();
    }
  }

  @Test
  void anEndUnderLoadLeavesNothing() {
    for (int seed = 20; seed < 40; seed++) {
      try (RdmaWorld world = new RdmaWorld(seed)) {
        RawQueue admin = world.admin();
        RawQueue io = world.io(admin, 1);
        world.device.delayNs(200_000);
        for (int i = 0; i < 31; i++) {
          io.start(io.keyed(RawQueue.io(i % 2 == 0 ? Opcode.READ : Opcode.WRITE, 0, 128), 0x40, 0, 65536), new byte[0]);
        }
        world.sim.runFor(world.sim.random().nextLong(600_000));
        (seed % 3 == 0 ? admin : io).close();
      }
    }
  }

  @Test
  void whatWasTakenIsAnsweredBeforeTheTargetGoes() {
    try (RdmaWorld world = new RdmaWorld(18)) {
      RawQueue io = world.io(world.admin(), 1);
      world.device.holding(true);
      int cid = io.start(io.keyed(RawQueue.io(Opcode.READ, 0, 8), 0x40, 0, 4096), new byte[0]);
      world.settle();
      world.target.shutDown(5 * RdmaWorld.SECOND);
      world.settle();
      assertThat(io.answered(cid)).isFalse();
      world.targetLoops.getFirst().run(world.device::letGo);
      assertThat(io.answer(cid).status()).isZero();
      io.awaitEnd();
    }
  }

  // Limits.

  @Test
  void onePeerHasNoMoreThanItsShare() {
    long one = ConnectionMemory.bytes(32, 64, 4096);
    try (RdmaWorld world = new RdmaWorld(19, new RegisteredBytes(1L << 30, 3 * one), TargetConfig.DEFAULT, 4096)) {
      RawQueue admin = world.admin();
      RawQueue first = world.queue(1);
      RawQueue second = world.queue(2);
      assertThat(first.established).isNotNull();
      assertThat(second.established).isNotNull();
      assertThat(world.queue(3).rejectStatus).as("no resources").isEqualTo(6);
      first.close();
      world.settle();
      assertThat(world.queue(3).established).isNotNull();
      assertThat(admin.ended).isFalse();
    }
  }

  @Test
  void memoryThatMayNotBeRegisteredIsRefusedByName() {
    RegisteredBytes bytes = new RegisteredBytes(1 << 20, 1 << 20);
    try (RdmaWorld world = new RdmaWorld(21, bytes, TargetConfig.DEFAULT, 4096)) {
      assertThat(world.queue(0).rejectStatus).isEqualTo(6);
    }
    assertThatThrownBy(() -> bytes.add(2 << 20)).isInstanceOf(RemoraException.class)
        .hasMessage(
            "cannot register 2097152 bytes of memory with an RDMA device: 0 are registered, the limit is 1048576");
  }

  @Test
  void aTargetListensByTcpAndRdmaSideBySide() {
    try (RdmaWorld world = new RdmaWorld(22)) {
      InetSocketAddress taken = world.listener.localAddress();
      assertThatThrownBy(() -> world
          .await(RdmaTarget.listen(List.<Loop>copyOf(world.targetLoops), taken, world.target, world.fabric.provider(),
              RdmaTargetOptions.of(world.bytes))))
          .isInstanceOf(CompletionException.class).cause().isInstanceOf(RemoraException.class)
          .extracting(e -> ((RemoraException) e).status()).isEqualTo(Status.EXISTS);
      var tcp = world
          .await(io.remora.nvme.tcp.TcpTarget.listen(List.<Loop>copyOf(world.targetLoops), taken, world.target));
      assertThat(world.target.ports()).hasSize(2);
      tcp.close();
      world.settle();
      assertThat(world.target.ports()).hasSize(1);
    }
  }
}
