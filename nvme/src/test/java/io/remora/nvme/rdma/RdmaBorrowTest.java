package io.remora.nvme.rdma;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.TargetConfig;
import io.remora.verbs.Access;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Data that goes between a host's memory and memory that the block device lends: once, and as safe as through buffers. */
class RdmaBorrowTest {
  private static final int BYTES = 4096;
  private static final int BLOCKS = BYTES / RdmaWorld.BLOCK;
  private static final int WRITE_PROTECTION = 0x84;
  private static final int CC = 0x14;
  private static final int CSTS = 0x1c;
  private static final int FUSED_FIRST = 1;
  private static final int FUSED_SECOND = 2;

  private static byte[] pattern(int seed) {
    byte[] bytes = new byte[BYTES];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static RdmaWorld world(long seed) {
    RdmaWorld world = new RdmaWorld(seed);
    world.device.lending(true);
    return world;
  }

  private static int start(RawQueue queue, int opcode, long slba) {
    return queue.start(queue.keyed(RawQueue.io(opcode, slba, BLOCKS), 0x40, 0, BYTES), new byte[0]);
  }

  /** A fused command whose data comes in its capsule. */
  private static int fused(RawQueue queue, int opcode, int half, byte[] data) {
    byte[] sqe = RawQueue.io(opcode, 0, BLOCKS);
    sqe[1] |= (byte) half;
    RawQueue.view(sqe).putLong(24, 0).putInt(32, data.length).put(39, (byte) 1);
    return queue.start(sqe, data);
  }

  /** A compare of block 0 with {@code expected} and a write of {@code next} as one. */
  private static int[] compareAndWrite(RawQueue queue, byte[] expected, byte[] next) {
    return new int[] {fused(queue, Opcode.COMPARE, FUSED_FIRST, expected),
      fused(queue, Opcode.WRITE, FUSED_SECOND, next)};
  }

  @Test
  void dataMovesBetweenTheHostAndTheDeviceWithoutARequestToIt() {
    try (RdmaWorld world = world(1)) {
      RawQueue io = world.io(world.admin(), 1);
      byte[] bytes = pattern(1);
      io.put(0, bytes);
      assertThat(io.answer(start(io, Opcode.WRITE, 16)).status()).isZero();
      assertThat(world.device.bytes(16 * RdmaWorld.BLOCK, BYTES)).isEqualTo(bytes);
      io.put(0, new byte[BYTES]);
      assertThat(io.answer(start(io, Opcode.READ, 16)).status()).isZero();
      assertThat(io.get(0, BYTES)).isEqualTo(bytes);
      assertThat(world.device.lent()).isEqualTo(2);
      world.device.onSubmit(request -> {
        throw new AssertionError("submitted: " + request);
      });
      assertThat(io.answer(start(io, Opcode.READ, 0)).status()).isZero();
    }
  }

  @Test
  void whatTheDeviceDoesNotLendGoesThroughBuffers() {
    try (RdmaWorld world = new RdmaWorld(2)) {
      RawQueue io = world.io(world.admin(), 1);
      byte[] bytes = pattern(2);
      io.put(0, bytes);
      assertThat(io.answer(start(io, Opcode.WRITE, 0)).status()).isZero();
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(bytes);
      assertThat(world.device.lent()).isZero();
    }
  }

  @Test
  void compareAndWriteWaitsForAWriteThatIsOnItsWay() {
    try (RdmaWorld world = world(3)) {
      RawQueue admin = world.admin();
      RawQueue writer = world.io(admin, 1);
      RawQueue pair = world.io(admin, 2);
      byte[] written = pattern(3);
      byte[] next = pattern(4);
      writer.put(0, written);
      world.fabric.delay(RdmaWorld.SECOND, RdmaWorld.SECOND);
      int write = start(writer, Opcode.WRITE, 0);
      world.sim.runFor(RdmaWorld.SECOND / 2);
      // It comes while the data of the write is being fetched.
      int[] halves = compareAndWrite(pair, written, next);
      assertThat(writer.answer(write).status()).isZero();
      assertThat(pair.answer(halves[0]).status()).isZero();
      assertThat(pair.answer(halves[1]).status()).isZero();
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(next);
    }
  }

  @Test
  void aWriteWaitsForCompareAndWrite() {
    try (RdmaWorld world = world(4)) {
      RawQueue admin = world.admin();
      RawQueue writer = world.io(admin, 1);
      RawQueue pair = world.io(admin, 2);
      byte[] written = pattern(5);
      writer.put(0, written);
      world.device.delayNs(10 * RdmaWorld.SECOND);
      int[] halves = compareAndWrite(pair, new byte[BYTES], pattern(6));
      world.sim.runFor(RdmaWorld.SECOND);
      int write = start(writer, Opcode.WRITE, 0);
      assertThat(pair.answer(halves[0]).status()).isZero();
      assertThat(pair.answer(halves[1]).status()).isZero();
      assertThat(writer.answer(write).status()).isZero();
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(written);
    }
  }

  @Test
  void aConnectionThatEndsOnTheWayHoldsNobodyUpAndWritesNothing() {
    for (int seed = 10; seed < 30; seed++) {
      try (RdmaWorld world = world(seed)) {
        RawQueue admin = world.admin();
        RawQueue writer = world.io(admin, 1);
        RawQueue pair = world.io(admin, 2);
        writer.put(0, pattern(seed));
        world.fabric.delay(RdmaWorld.SECOND, RdmaWorld.SECOND);
        start(writer, Opcode.WRITE, 0);
        world.sim.runFor(RdmaWorld.SECOND / 2);
        int[] halves = compareAndWrite(pair, new byte[BYTES], pattern(-seed));
        // The command has come; its data has not been sent.
        world.sim.runFor(RdmaWorld.SECOND * 6 / 10 + world.sim.random().nextLong(RdmaWorld.SECOND / 2));
        writer.close();
        assertThat(pair.answer(halves[0]).status()).isZero();
        assertThat(pair.answer(halves[1]).status()).isZero();
        world.settle();
        assertThat(world.device.bytes(0, BYTES)).isEqualTo(pattern(-seed));
      }
    }
  }

  /** Starts a write whose data is a second on its way when this returns; later messages are fast. */
  private static int startSlowWrite(RdmaWorld world, RawQueue queue, byte[] data) {
    queue.put(0, data);
    world.fabric.delay(RdmaWorld.SECOND, RdmaWorld.SECOND);
    int write = start(queue, Opcode.WRITE, 0);
    world.await(() -> world.device.lent() == 1);
    world.fabric.delay(1000, 1000);
    return write;
  }

  @Test
  void writeProtectionWaitsForAWriteThatIsOnItsWay() {
    try (RdmaWorld world = world(5)) {
      RawQueue admin = world.admin();
      RawQueue io = world.io(admin, 1);
      int write = startSlowWrite(world, io, pattern(9));
      byte[] protect = RawQueue.sqe(Opcode.SET_FEATURES, 1);
      RawQueue.view(protect).putInt(40, WRITE_PROTECTION).putInt(44, 1);
      int set = admin.start(protect, new byte[0]);
      world.sim.runFor(RdmaWorld.SECOND / 2);
      assertThat(admin.answered(set)).isFalse();
      assertThat(io.answer(write).status()).isZero();
      assertThat(admin.answer(set).status()).isZero();
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(pattern(9));
      assertThat(NvmeStatus.code(io.answer(start(io, Opcode.WRITE, 0)).status()))
          .isEqualTo(NvmeStatus.NAMESPACE_WRITE_PROTECTED);
    }
  }

  /** An answer that is not known to have come keeps the connection, by which data still comes. */
  @Test
  void aControllerIsNotDisabledWhileDataMayStillComeToTheDevice() {
    try (RdmaWorld world = world(6)) {
      RawQueue admin = world.admin();
      RawQueue io = world.io(admin, 1);
      io.put(0, pattern(10));
      world.fabric.delay(RdmaWorld.SECOND, RdmaWorld.SECOND);
      start(io, Opcode.READ, 64);
      io.start(io.keyed(RawQueue.io(Opcode.WRITE, 0, BLOCKS), 0x40, BYTES, BYTES), new byte[0]);
      io.put(BYTES, pattern(10));
      world.await(() -> world.device.lent() == 2);
      world.fabric.delay(1000, 1000);
      byte[] disable = RawQueue.sqe(Opcode.FABRICS, Opcode.PROPERTY_SET);
      RawQueue.view(disable).putInt(44, CC).putLong(48, 0x0046_0000);
      assertThat(admin.call(disable).status()).isZero();
      assertThat(ready(admin)).isTrue();
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(new byte[BYTES]);
      while (ready(admin)) {
        world.sim.runFor(1_000_000);
      }
      byte[] atLast = world.device.bytes(0, BYTES);
      world.settle();
      assertThat(io.ended).isTrue();
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(atLast);
    }
  }

  private static boolean ready(RawQueue admin) {
    byte[] get = RawQueue.sqe(Opcode.FABRICS, Opcode.PROPERTY_GET);
    RawQueue.view(get).putInt(44, CSTS);
    return (admin.call(get).result() & 1) != 0;
  }

  @Test
  void aPeerThatKeepsItsDataBackHoldsANamespaceUpForAsLongAsAPeerMayStandStill() {
    try (RdmaWorld world = world(9)) {
      RawQueue io = world.io(world.admin(), 1);
      io.put(0, pattern(11));
      world.fabric.delay(1000, 1000);
      start(io, Opcode.WRITE, 0);
      world.sim.runFor(500);
      world.fabric.delay(10_000 * RdmaWorld.SECOND, 10_000 * RdmaWorld.SECOND);
      world.await(() -> world.device.lent() == 1);
      long begin = world.sim.nowNs();
      world.await(world.subsystem.removeNamespace(1));
      assertThat(world.sim.nowNs() - begin).isLessThanOrEqualTo(2 * TargetConfig.DEFAULT.stallTimeoutNs());
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(new byte[BYTES]);
    }
  }

  @Test
  void aKeyThatDoesNotHoldLeavesTheDeviceAsItWas() {
    try (RdmaWorld world = world(7)) {
      RawQueue admin = world.admin();
      RawQueue bad = world.io(admin, 1);
      int key = bad.export(0, BYTES - 1, Access.REMOTE_READ);
      bad.put(0, pattern(7));
      bad.start(RawQueue.keyed(RawQueue.io(Opcode.WRITE, 0, BLOCKS), 0x40, bad.data.address(), BYTES, key),
          new byte[0]);
      bad.awaitEnd();
      assertThat(world.device.lent()).isEqualTo(1);
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(new byte[BYTES]);
      RawQueue good = world.io(admin, 2);
      assertThat(good.answer(start(good, Opcode.READ, 0)).status()).isZero();
    }
  }

  @Test
  void aNamespaceGoesWhileDataIsOnItsWay() {
    try (RdmaWorld world = world(8)) {
      RawQueue io = world.io(world.admin(), 1);
      io.put(0, pattern(8));
      world.fabric.delay(RdmaWorld.SECOND, RdmaWorld.SECOND);
      int write = start(io, Opcode.WRITE, 0);
      int read = start(io, Opcode.READ, 64);
      world.sim.runFor(RdmaWorld.SECOND * 3 / 2);
      world.await(world.subsystem.removeNamespace(1));
      assertThat(world.device.openChannels()).isZero();
      assertThat(io.answer(write).status()).isZero();
      assertThat(io.answer(read).status()).isZero();
      assertThat(world.device.bytes(0, BYTES)).isEqualTo(pattern(8));
      assertThat(NvmeStatus.code(io.answer(start(io, Opcode.READ, 0)).status()))
          .isEqualTo(NvmeStatus.INVALID_NAMESPACE);
    }
  }
}
