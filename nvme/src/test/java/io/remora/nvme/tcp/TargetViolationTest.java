package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Everything that a host can do wrong, one by one, each with the answer that the specification demands: a C2HTermReq with its
 * fatal error status and information (NVMe/TCP 1.0, 3.6.2.4) and the end of the connection, or a status, after which the queue goes on. Each
 * time a second host on the same loops must not notice, and nothing may be left.
 */
class TargetViolationTest {
  private static final int DNR = NvmeStatus.DNR;
  private static final int FROM_DATA = 1 << 16;
  private static final byte[] NONE = {};
  /** The first identifier that {@link TestQueue} does not give by itself. */
  private static final int CID = 0x7001;

  /** A connection in the state that the case begins with. */
  private enum Stage {
    NEW, INITIALIZED, ADMIN, IO;

    TestQueue open(TestWorld world, boolean headerDigest, boolean dataDigest) {
      TestQueue queue = world.queue();
      if (this == NEW) {
        return queue;
      }
      if (this == IO) {
        TestQueue admin = world.admin();
        return queue.initialize(0, headerDigest, dataDigest).connectIo(admin, 1, 31, true);
      }
      queue.initialize(0, headerDigest, dataDigest);
      if (this == ADMIN) {
        queue.connectAdmin(TestWorld.NQN, TestWorld.HOST, 0).enable();
      }
      return queue;
    }
  }

  private static DynamicTest test(String name, Consumer<TestWorld> body) {
    return DynamicTest.dynamicTest(name, () -> {
      try (TestWorld world = new TestWorld(name.hashCode())) {
        TestQueue honest = world.io(world.admin(), 1);
        byte[] data = new byte[8192];
        Arrays.fill(data, (byte) name.hashCode());
        assertThat(honest.call(TestQueue.io(Opcode.WRITE, 1, 4000, 16), data).status()).isZero();
        world.device.ops.clear();
        body.accept(world);
        assertThat(honest.call(TestQueue.io(Opcode.READ, 1, 4000, 16), null).data()).isEqualTo(data);
        assertThat(honest.ended).isFalse();
      }
    });
  }

  private static DynamicTest fatal(String name, Stage stage, int fes, long fei, byte[] bad) {
    return fatal(name, stage, fes, fei, false, false, queue -> bad);
  }

  private static DynamicTest fatal(String name, Stage stage, int fes, long fei, boolean headerDigest,
      boolean dataDigest, Function<TestQueue, byte[]> bad) {
    return test(name + ": FES " + fes + ", FEI " + fei, world -> {
      TestQueue queue = stage.open(world, headerDigest, dataDigest);
      byte[] pdu = bad.apply(queue);
      queue.send(pdu);
      expectTermReq(queue, fes, fei < 0 ? Pdus.view(pdu).getInt((int) -fei) & 0xffff_ffffL : fei, pdu);
      assertThat(world.device.ops).as("operations of the device").isEmpty();
    });
  }

  private static void expectTermReq(TestQueue queue, int fes, long fei, byte[] bad) {
    byte[] pdu = queue.pdu();
    ByteBuffer b = Pdus.view(pdu);
    assertThat(Arrays.copyOf(pdu, 4)).as("common header").isEqualTo(new byte[] {3, 0, 24, 0});
    assertThat(b.getShort(8)).as("FES").isEqualTo((short) fes);
    assertThat(b.getInt(10) & 0xffff_ffffL).as("FEI").isEqualTo(fei);
    assertThat(pdu.length - 24).isBetween(8, 128);
    assertThat(Arrays.copyOfRange(pdu, 24, pdu.length)).isEqualTo(Arrays.copyOf(bad, pdu.length - 24));
    queue.awaitEnd();
    assertThat(queue.pdus).isEmpty();
  }

  /** A write of 8192 bytes whose data has been asked for; {@code bad} makes the data PDU of its identifier and tag. */
  private static DynamicTest transfer(String name, int fes, long fei, boolean headerDigest, boolean dataDigest,
      Transfer bad) {
    return fatal("H2CData: " + name, Stage.IO, fes, fei, headerDigest, dataDigest, queue -> {
      int tag = beginWrite(queue);
      return bad.pdu(queue, tag);
    });
  }

  private static DynamicTest transfer(String name, int fes, long fei, Transfer bad) {
    return transfer(name, fes, fei, false, false, bad);
  }

  private interface Transfer {
    byte[] pdu(TestQueue queue, int tag);
  }

  private static int beginWrite(TestQueue queue) {
    byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 16);
    Pdus.view(sqe).putShort(2, (short) CID);
    queue.send(command(queue, sqe, NONE));
    byte[] r2t = queue.pdu();
    assertThat(r2t[0]).isEqualTo((byte) 9);
    assertThat(Pdus.view(r2t).getInt(16)).isEqualTo(8192);
    return Pdus.view(r2t).getShort(10) & 0xffff;
  }

  private static byte[] command(TestQueue queue, byte[] sqe, byte[] data) {
    return Pdus.pdu(4, 0, Pdus.capsule(sqe), data, queue.headerDigest, queue.dataDigest);
  }

  private static byte[] data(TestQueue queue, int cid, int tag, int offset, int length, boolean last) {
    return Pdus.pdu(6, last ? 4 : 0, Pdus.transfer(cid, tag, offset, length), new byte[length], queue.headerDigest,
        queue.dataDigest);
  }

  private static byte[] keepAlive() {
    return Pdus.pdu(4, 0, Pdus.capsule(TestQueue.sqe(Opcode.KEEP_ALIVE, 0)), NONE, false, false);
  }

  private static byte[] plen(byte[] pdu, long value) {
    byte[] copy = pdu.clone();
    Pdus.view(copy).putInt(4, (int) value);
    return copy;
  }

  // Headers.

  @TestFactory
  Stream<DynamicTest> headers() {
    byte[] ic = Pdus.icReq(0, false, false);
    byte[] inline = Pdus.pdu(4, 0, Pdus.capsule(TestQueue.sqe(Opcode.WRITE, 1)), new byte[512], false, false);
    byte[] data = Pdus.pdu(6, 4, Pdus.transfer(CID, 1, 0, 512), new byte[512], false, false);
    byte[] term = new byte[24];
    Pdus.common(Pdus.view(term), 2, 0, 24, 0, 24);
    List<DynamicTest> all = new ArrayList<>();
    for (int hlen : new int[] {0, 8, 127, 129, 255}) {
      all.add(fatal("ICReq with HLEN " + hlen, Stage.NEW, 1, 2, Pdus.with(ic, 2, hlen)));
    }
    for (long plen : new long[] {0, 8, 127, 129, 0xffff_ffffL}) {
      all.add(fatal("ICReq with PLEN " + plen, Stage.NEW, 1, 4, plen(ic, plen)));
    }
    all.add(fatal("ICReq with PFV 1", Stage.NEW, 1, 8, Pdus.with(ic, 8, 1)));
    all.add(fatal("ICReq with PFV 256", Stage.NEW, 1, 8, Pdus.with(ic, 9, 1)));
    all.add(fatal("ICReq with HPDA 32", Stage.NEW, 1, 10, Pdus.with(ic, 10, 32)));
    all.add(fatal("ICReq with HPDA 255", Stage.NEW, 1, 10, Pdus.with(ic, 10, 255)));
    all.add(fatal("a second ICReq", Stage.INITIALIZED, 2, 0, ic));
    all.add(fatal("a second ICReq after Connect", Stage.ADMIN, 2, 0, ic));
    all.add(fatal("CapsuleCmd before ICReq", Stage.NEW, 2, 0, keepAlive()));
    all.add(fatal("H2CData before ICReq", Stage.NEW, 2, 0, data));
    for (int type : new int[] {1, 3, 5, 7, 8, 9, 10, 0x7f, 0x80, 0xff}) {
      all.add(fatal("PDU type " + type + " first", Stage.NEW, 1, 0, Pdus.with(ic, 0, type)));
      all.add(fatal("PDU type " + type + " after Connect", Stage.ADMIN, 1, 0, Pdus.with(keepAlive(), 0, type)));
    }
    for (int hlen : new int[] {0, 24, 71, 73, 255}) {
      all.add(fatal("CapsuleCmd with HLEN " + hlen, Stage.ADMIN, 1, 2, Pdus.with(keepAlive(), 2, hlen)));
    }
    for (int hlen : new int[] {0, 23, 25, 72, 255}) {
      all.add(fatal("H2CData with HLEN " + hlen, Stage.IO, 1, 2, Pdus.with(data, 2, hlen)));
      all.add(fatal("H2CTermReq with HLEN " + hlen, Stage.ADMIN, 1, 2, Pdus.with(term, 2, hlen)));
    }
    for (long plen : new long[] {0, 8, 71}) {
      all.add(fatal("CapsuleCmd with PLEN " + plen, Stage.ADMIN, 1, 4, plen(keepAlive(), plen)));
    }
    for (long plen : new long[] {72 + 16385, 1 << 20, 0x7fff_ffffL, 0x8000_0000L, 0xffff_ffffL}) {
      all.add(fatal("CapsuleCmd with PLEN " + plen, Stage.IO, 1, 4, plen(inline, plen)));
    }
    for (long plen : new long[] {0, 23, 24, 512}) {
      all.add(fatal("H2CData with PLEN " + plen, Stage.IO, 1, 4, plen(data, plen)));
    }
    for (long plen : new long[] {0, 23, 153, 0xffff_ffffL}) {
      all.add(fatal("H2CTermReq with PLEN " + plen, Stage.ADMIN, 1, 4, plen(term, plen)));
    }
    for (int pdo : new int[] {0, 24, 71, 73, 74, 75}) {
      all.add(fatal("CapsuleCmd with PDO " + pdo, Stage.IO, 1, 3, Pdus.with(inline, 3, pdo)));
    }
    for (int pdo : new int[] {0, 8, 23, 25, 26, 27}) {
      all.add(fatal("H2CData with PDO " + pdo, Stage.IO, 1, 3, Pdus.with(data, 3, pdo)));
    }
    for (int flags : new int[] {1, 2, 3}) {
      all.add(fatal("CapsuleCmd with digest flags " + flags + " that were not agreed", Stage.IO, 1, 1,
          Pdus.with(inline, 1, flags)));
      all.add(fatal("H2CData with digest flags " + flags + " that were not agreed", Stage.IO, 1, 1,
          Pdus.with(data, 1, 4 | flags)));
    }
    all.add(fatal("CapsuleCmd without the agreed header digest", Stage.IO, 1, 1, true, false, queue -> inline));
    all.add(fatal("CapsuleCmd without the agreed data digest", Stage.IO, 1, 1, false, true, queue -> inline));
    all.add(test("H2CTermReq ends the connection without an answer", world -> {
      TestQueue queue = Stage.ADMIN.open(world, false, false);
      queue.send(term);
      queue.awaitEnd();
      assertThat(queue.pdus).isEmpty();
    }));
    return all.stream();
  }

  // Digests.

  @TestFactory
  Stream<DynamicTest> digests() {
    List<DynamicTest> all = new ArrayList<>();
    // Not the common header: what is wrong with that is told without looking at the digest.
    for (int at = 8; at < 76; at++) {
      int flipped = at;
      all.add(fatal("CapsuleCmd with byte " + at + " flipped", Stage.IO, 3, -72, true, true, queue -> {
        byte[] pdu = command(queue, TestQueue.io(Opcode.WRITE, 1, 0, 1), NONE);
        pdu[flipped] ^= 0x20;
        return pdu;
      }));
    }
    for (int at = 8; at < 28; at++) {
      int flipped = at;
      all.add(transfer("byte " + at + " flipped", 3, -24, true, true, (queue, tag) -> {
        byte[] pdu = data(queue, CID, tag, 0, 8192, true);
        pdu[flipped] ^= 4;
        return pdu;
      }));
    }
    for (int at : new int[] {0, 1, 511, 512, 515}) {
      all.add(test("in-capsule data with byte " + at + " flipped: transient transport error", world -> {
        TestQueue queue = Stage.IO.open(world, true, true);
        byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 1);
        Pdus.view(sqe).putShort(2, (short) CID).putInt(32, 512);
        sqe[39] = 1;
        byte[] pdu = command(queue, sqe, new byte[512]);
        pdu[76 + at] ^= 1;
        queue.send(pdu);
        assertThat(queue.answer(CID).status()).isEqualTo(NvmeStatus.TRANSIENT_TRANSPORT_ERROR);
        assertThat(world.device.ops).isEmpty();
        assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero();
      }));
    }
    for (int at : new int[] {0, 4095, 8191, 8192, 8195}) {
      all.add(test("H2CData with byte " + at + " of the data flipped: transient transport error", world -> {
        TestQueue queue = Stage.IO.open(world, true, true);
        int tag = beginWrite(queue);
        byte[] pdu = data(queue, CID, tag, 0, 8192, true);
        pdu[28 + at] ^= 1;
        queue.send(pdu);
        assertThat(queue.answer(CID).status()).isEqualTo(NvmeStatus.TRANSIENT_TRANSPORT_ERROR);
        assertThat(world.device.ops).isEmpty();
        assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero();
      }));
    }
    return all.stream();
  }

  // Data.

  @TestFactory
  Stream<DynamicTest> transfers() {
    return Stream.of(
        fatal("H2CData without R2T", Stage.IO, 4, 0,
            Pdus.pdu(6, 4, Pdus.transfer(CID, 0, 0, 512), new byte[512], false, false)),
        fatal("H2CData on an admin queue without R2T", Stage.ADMIN, 4, 0,
            Pdus.pdu(6, 4, Pdus.transfer(CID, 0, 0, 512), new byte[512], false, false)),
        transfer("unknown tag, next generation", 4, 0, (q, tag) -> data(q, CID, tag + 0x400 & 0xffff, 0, 8192, true)),
        transfer("unknown tag, other slot", 4, 0, (q, tag) -> data(q, CID, tag ^ 1, 0, 8192, true)),
        transfer("tag FFFFh", 4, 0, (q, tag) -> data(q, CID, 0xffff, 0, 8192, true)),
        transfer("identifier of another command", 4, 0, (q, tag) -> data(q, CID + 1, tag, 0, 8192, true)),
        transfer("begins with a gap", 4, 0, (q, tag) -> data(q, CID, tag, 512, 7680, true)),
        transfer("gap in the middle", 4, 0, (q, tag) -> {
          q.send(data(q, CID, tag, 0, 4096, false));
          return data(q, CID, tag, 4608, 3584, true);
        }),
        transfer("overlap", 4, 0, (q, tag) -> {
          q.send(data(q, CID, tag, 0, 4096, false));
          return data(q, CID, tag, 3584, 4608, true);
        }),
        transfer("the same again", 4, 0, (q, tag) -> {
          q.send(data(q, CID, tag, 0, 4096, false));
          return data(q, CID, tag, 0, 4096, false);
        }),
        transfer("longer than asked for", 4, 0, (q, tag) -> data(q, CID, tag, 0, 8704, true)),
        transfer("beyond what was asked for", 4, 0, (q, tag) -> {
          q.send(data(q, CID, tag, 0, 4096, false));
          return data(q, CID, tag, 4096, 4608, true);
        }),
        transfer("offset 4 GiB less a block", 4, 0, (q, tag) -> data(q, CID, tag, -512, 512, false)),
        transfer("offset 2 GiB", 4, 0, (q, tag) -> data(q, CID, tag, Integer.MIN_VALUE, 512, false)),
        transfer("length 4 GiB less 1", 1, 4,
            (q, tag) -> header(data(q, CID, tag, 0, 512, true), 16, 0xffff_ffffL)),
        transfer("length and PLEN of 4 GiB less a bit", 4, 0,
            (q, tag) -> plen(header(data(q, CID, tag, 0, 512, true), 16, 0xffff_ff00L), 0xffff_ff18L)),
        transfer("length 0", 1, 16, (q, tag) -> header(data(q, CID, tag, 0, 512, true), 16, 0)),
        transfer("length shorter than PLEN", 1, 4,
            (q, tag) -> header(data(q, CID, tag, 0, 8192, true), 16, 8188)),
        transfer("all of it without LAST", 1, 1, (q, tag) -> data(q, CID, tag, 0, 8192, false)),
        transfer("LAST before all of it", 1, 1, (q, tag) -> data(q, CID, tag, 0, 4096, true)),
        test("H2CData: a tag that has had all its data: FES 4", world -> {
          TestQueue queue = Stage.IO.open(world, false, false);
          int tag = beginWrite(queue);
          byte[] whole = data(queue, CID, tag, 0, 8192, true);
          queue.send(whole);
          assertThat(queue.answer(CID).status()).isZero();
          queue.send(whole);
          expectTermReq(queue, 4, 0, whole);
        }), test("H2CData: a tag that has had all its data while the device still writes: FES 4", world -> {
          TestQueue queue = Stage.IO.open(world, false, false);
          int tag = beginWrite(queue);
          world.device.holding = true;
          byte[] whole = data(queue, CID, tag, 0, 8192, true);
          queue.send(whole);
          world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
          queue.send(whole);
          expectTermReq(queue, 4, 0, whole);
          world.device.letGo();
          world.settle();
          assertThat(world.device.ops).as("operations of the device").hasSize(1);
          world.device.ops.clear();
        }));
  }

  private static byte[] header(byte[] pdu, int at, long value) {
    byte[] copy = pdu.clone();
    Pdus.view(copy).putInt(at, (int) value);
    return copy;
  }

  // Commands.

  /** A command that is refused with {@code status}, after which the queue goes on. */
  private static DynamicTest refused(String name, Stage stage, int status, byte[] sqe, byte[] inside) {
    return test(name + ": status " + Integer.toHexString(status), world -> {
      TestQueue queue = stage.open(world, false, false);
      byte[] copy = sqe.clone();
      Pdus.view(copy).putShort(2, (short) CID);
      queue.send(command(queue, copy, inside));
      assertThat(Integer.toHexString(queue.answer(CID).status())).isEqualTo(Integer.toHexString(status));
      assertThat(world.device.ops).as("operations of the device").isEmpty();
      if (stage != Stage.INITIALIZED) {
        Reply again = queue.call(stage == Stage.IO
            ? TestQueue.io(Opcode.READ, 1, 0, 1)
            : TestQueue.sqe(Opcode.KEEP_ALIVE, 0), null);
        assertThat(again.status()).as("the next command").isZero();
      }
    });
  }

  private static byte[] sgl(byte[] sqe, int type, long address, int length) {
    byte[] copy = sqe.clone();
    Pdus.view(copy).putLong(24, address).putInt(32, length).put(39, (byte) type);
    return copy;
  }

  @TestFactory
  Stream<DynamicTest> scatterGatherLists() {
    byte[] write = TestQueue.io(Opcode.WRITE, 1, 0, 1);
    byte[] read = TestQueue.io(Opcode.READ, 1, 0, 1);
    byte[] block = new byte[512];
    List<DynamicTest> all = new ArrayList<>();
    for (int type = 0; type < 256; type++) {
      if (type != 0x5a && type != 0x01) {
        all.add(refused("SGL type " + Integer.toHexString(type), Stage.IO, NvmeStatus.INVALID_SGL_TYPE | DNR,
            sgl(write, type, 0, 512), NONE));
      }
    }
    all.add(refused("in-capsule SGL of a read", Stage.IO, NvmeStatus.INVALID_FIELD | DNR, sgl(read, 1, 0, 512), NONE));
    int badOffset = NvmeStatus.INVALID_SGL_OFFSET | DNR;
    int badLength = NvmeStatus.INVALID_SGL_LENGTH | DNR;
    all.add(refused("in-capsule SGL, no data", Stage.IO, badOffset, sgl(write, 1, 0, 512), NONE));
    all.add(refused("in-capsule SGL past the end", Stage.IO, badOffset, sgl(write, 1, 512, 512), block));
    all.add(refused("in-capsule SGL at a negative offset", Stage.IO, badOffset, sgl(write, 1, -1, 512), block));
    all.add(refused("in-capsule SGL at an offset of 2^63", Stage.IO, badOffset,
        sgl(write, 1, Long.MIN_VALUE, 512), block));
    all.add(refused("in-capsule SGL of 4 GiB less 1", Stage.IO, badOffset, sgl(write, 1, 0, -1), block));
    all.add(refused("SGL of 4 GiB less 1", Stage.IO, badLength, sgl(write, 0x5a, 0, -1), NONE));
    all.add(refused("SGL of 2 GiB", Stage.IO, badLength, sgl(read, 0x5a, 0, Integer.MIN_VALUE), NONE));
    all.add(refused("SGL shorter than the blocks", Stage.IO, badLength, sgl(read, 0x5a, 0, 511), NONE));
    all.add(refused("SGL longer than the blocks", Stage.IO, badLength, sgl(write, 0x5a, 0, 1024), NONE));
    for (int psdt : new int[] {0, 0x80, 0xc0}) {
      all.add(refused("PSDT " + Integer.toHexString(psdt), Stage.IO, NvmeStatus.INVALID_FIELD | DNR,
          Pdus.with(read, 1, psdt), NONE));
    }
    byte[] most = TestQueue.io(Opcode.READ, 1, 0, 65536);
    all.add(refused("65536 blocks", Stage.IO, NvmeStatus.LBA_OUT_OF_RANGE | DNR, sgl(most, 0x5a, 0, 1 << 25), NONE));
    return all.stream();
  }

  // Connect.

  private static DynamicTest connect(String name, int status, int result, byte[] sqe, byte[] data) {
    return test("Connect: " + name + ": status " + Integer.toHexString(status), world -> {
      TestQueue queue = world.initialized();
      Reply reply = queue.call(sqe, data);
      assertThat(Integer.toHexString(reply.status())).isEqualTo(Integer.toHexString(status | DNR));
      assertThat(reply.result() & 0x1ffff).isEqualTo(result);
      // The queue may try again, and do better.
      queue.connectAdmin(TestWorld.NQN, TestWorld.HOST, 0).enable();
    });
  }

  @TestFactory
  Stream<DynamicTest> connects() {
    int invalid = NvmeStatus.CONNECT_INVALID_PARAMETERS;
    byte[] good = TestQueue.connect(0, 31, 0, false);
    byte[] data = TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST);
    byte[] noEnd = data.clone();
    Arrays.fill(noEnd, 256, 512, (byte) 'n');
    return Stream.of(
        connect("RECFMT 1", NvmeStatus.CONNECT_BAD_FORMAT, 0, Pdus.with(good, 40, 1), data),
        connect("SQSIZE 0", invalid, 44, TestQueue.connect(0, 0, 0, false), data),
        connect("SQSIZE one too large", invalid, 44, TestQueue.connect(0, 256, 0, false), data),
        connect("SQSIZE 65535", invalid, 44, TestQueue.connect(0, 0xffff, 0, false), data),
        connect("a static controller", invalid, FROM_DATA | 16, good,
            TestQueue.connectData(1, TestWorld.NQN, TestWorld.HOST)),
        connect("an I/O queue of a controller that there is not", invalid, FROM_DATA | 16,
            TestQueue.connect(1, 31, 0, false), TestQueue.connectData(0x7777, TestWorld.NQN, TestWorld.HOST)),
        connect("an I/O queue of controller FFFFh", invalid, FROM_DATA | 16, TestQueue.connect(1, 31, 0, false), data),
        connect("an unknown subsystem", invalid, FROM_DATA | 256, good,
            TestQueue.connectData(0xffff, TestWorld.NQN + "2", TestWorld.HOST)),
        connect("a subsystem name without an end", invalid, FROM_DATA | 256, good, noEnd),
        connect("a subsystem without a name", invalid, FROM_DATA | 256, good,
            TestQueue.connectData(0xffff, "", TestWorld.HOST)),
        connect("data that is too short", NvmeStatus.INVALID_SGL_LENGTH, 0, good, Arrays.copyOf(data, 1020)),
        connect("no data", NvmeStatus.INVALID_SGL_LENGTH, 0, good, NONE),
        test("Connect: a host that is not allowed: status 184h", world -> {
          world.subsystem.allowHost(TestWorld.HOST);
          world.subsystem.allowAnyHost(false);
          Reply reply = world.initialized().call(good,
              TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST + "2"));
          assertThat(reply.status()).isEqualTo(NvmeStatus.CONNECT_INVALID_HOST | DNR);
          assertThat(reply.result()).isEqualTo(FROM_DATA | 512);
        }), test("Connect: twice on the admin queue: command sequence error", world -> {
          TestQueue queue = world.admin();
          assertThat(queue.call(good, data).status()).isEqualTo(NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR);
          assertThat(queue.call(TestQueue.sqe(Opcode.KEEP_ALIVE, 0), null).status()).isZero();
        }), test("Connect: twice on an I/O queue: command sequence error", world -> {
          TestQueue admin = world.admin();
          TestQueue queue = world.io(admin, 1);
          Reply reply = queue.call(TestQueue.connect(1, 31, 0, true),
              TestQueue.connectData(admin.controllerId, TestWorld.NQN, TestWorld.HOST));
          assertThat(reply.status()).isEqualTo(NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR);
          assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero();
        }), test("Connect: a queue that another connection has: command sequence error", world -> {
          TestQueue admin = world.admin();
          TestQueue queue = world.io(admin, 1);
          Reply reply = world.initialized().call(TestQueue.connect(1, 31, 0, true),
              TestQueue.connectData(admin.controllerId, TestWorld.NQN, TestWorld.HOST));
          assertThat(reply.status()).isEqualTo(NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR);
          assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero();
        }), test("Connect: queues that there are not: invalid parameters, byte 42", world -> {
          TestQueue admin = world.admin();
          for (int qid : new int[] {65, 0x7fff, 0xffff}) {
            Reply reply = world.initialized().call(TestQueue.connect(qid, 31, 0, true),
                TestQueue.connectData(admin.controllerId, TestWorld.NQN, TestWorld.HOST));
            assertThat(reply.status()).isEqualTo(invalid | DNR);
            assertThat(reply.result()).isEqualTo(42);
          }
        }),
        test("Connect: an I/O queue of somebody else's controller: invalid parameters, byte 16 of the data", world -> {
          TestQueue admin = world.admin();
          Reply reply = world.initialized().call(TestQueue.connect(1, 31, 0, true),
              TestQueue.connectData(admin.controllerId, TestWorld.NQN, TestWorld.HOST + "2"));
          assertThat(reply.status()).isEqualTo(invalid | DNR);
          assertThat(reply.result()).isEqualTo(FROM_DATA | 16);
        }), refused("a command before Connect", Stage.INITIALIZED, NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR,
            TestQueue.io(Opcode.READ, 1, 0, 1), NONE),
        refused("Property Get before Connect", Stage.INITIALIZED, NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR,
            TestQueue.fabrics(Opcode.PROPERTY_GET), NONE),
        test("keep alive lost: all queues end, and nobody else's", world -> {
          TestQueue admin = world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST, 1000);
          admin.enable();
          TestQueue io = world.io(admin, 1);
          world.sim.runFor(10_000_000_000L);
          assertThat(admin.ended && io.ended).isTrue();
        }));
  }

  // The end at every byte.

  /** A whole session as one stream: ICReq, Connect, enable, Identify, an event request; both digests. */
  private static byte[] session() {
    byte[] enable = TestQueue.fabrics(Opcode.PROPERTY_SET);
    Pdus.view(enable).putInt(44, 0x14).putLong(48, 0x00460001);
    byte[] connect = sgl(TestQueue.connect(0, 31, 1000, true), 1, 0, 1024);
    byte[] identify = sgl(TestQueue.sqe(Opcode.IDENTIFY, 0), 0x5a, 0, 4096);
    Pdus.view(identify).putInt(40, 1);
    byte[][] pdus = {Pdus.icReq(3, true, true),
      Pdus.pdu(4, 0, Pdus.capsule(connect), TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST), true, true),
      Pdus.pdu(4, 0, Pdus.capsule(enable), NONE, true, true), Pdus.pdu(4, 0, Pdus.capsule(identify), NONE, true, true),
      Pdus.pdu(4, 0, Pdus.capsule(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0)), NONE, true, true)};
    ByteBuffer all = ByteBuffer.allocate(Arrays.stream(pdus).mapToInt(pdu -> pdu.length).sum());
    Arrays.stream(pdus).forEach(all::put);
    return all.array();
  }

  @TestFactory
  Stream<DynamicTest> ends() {
    return Stream.of(test("the end of the stream after every byte of a session", world -> cutEverywhere(world, false)),
        test("a reset after every byte of a session", world -> cutEverywhere(world, true)));
  }

  private static void cutEverywhere(TestWorld world, boolean reset) {
    byte[] session = session();
    int honest = world.subsystem.connections().size();
    for (int at = 0; at <= session.length; at++) {
      TestQueue queue = world.queue();
      if (at > 0) {
        queue.send(Arrays.copyOf(session, at));
      }
      world.sim.runFor(world.sim.random().nextLong(1_000_000));
      if (reset) {
        queue.reset();
      } else {
        queue.close();
      }
      if (at % 64 == 0 || at == session.length) {
        world.settle();
        assertThat(world.subsystem.connections()).as("after %d bytes", at).hasSize(honest);
      }
    }
  }
}
