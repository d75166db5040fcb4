package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.TargetConfig;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Hosts that break the protocol, vanish, stall, or want too much. */
class TargetHostileTest {
  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final List<TestWorld> worlds = new ArrayList<>();
  private final TestWorld world = world(TargetConfig.DEFAULT);

  private TestWorld world(TargetConfig config) {
    TestWorld made = new TestWorld(seed, config);
    worlds.add(made);
    return made;
  }

  @AfterEach
  void nothingIsLeft() {
    worlds.forEach(TestWorld::close);
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] command(byte[] sqe) {
    return Pdus.pdu(4, 0, Pdus.capsule(sqe), new byte[0], false, false);
  }

  private static byte[] data(int cccid, int ttag, int offset, int length, boolean last) {
    return Pdus.pdu(6, last ? 4 : 0, Pdus.transfer(cccid, ttag, offset, length), new byte[length], false, false);
  }

  /** The next PDU is a TermReq with that content, and the connection ends after it. */
  private static void expectTermReq(TestQueue queue, int fes, long fei, byte[] bad) {
    byte[] pdu = queue.pdu();
    ByteBuffer b = Pdus.view(pdu);
    assertThat(pdu[0]).as("type").isEqualTo((byte) 3);
    assertThat(pdu[1]).as("flags").isZero();
    assertThat(pdu[2]).as("HLEN").isEqualTo((byte) 24);
    assertThat(b.getShort(8)).as("FES").isEqualTo((short) fes);
    assertThat(b.getInt(10) & 0xffff_ffffL).as("FEI").isEqualTo(fei);
    int copied = pdu.length - 24;
    assertThat(copied).isBetween(8, 128);
    assertThat(Arrays.copyOfRange(pdu, 24, pdu.length)).isEqualTo(Arrays.copyOf(bad, copied));
    queue.awaitEnd();
    assertThat(queue.pdus).isEmpty();
  }

  // PDUs that are wrong.

  @Test
  void wrongInitializationIsFatal() {
    byte[] req = Pdus.icReq(0, false, false);
    expectFatal(1, 8, Pdus.with(req, 8, 1));
    expectFatal(1, 10, Pdus.with(req, 10, 32));
    expectFatal(1, 2, Pdus.with(req, 2, 24));
    expectFatal(1, 4, Pdus.with(req, 4, 129));
    expectFatal(1, 4, Pdus.with(req, 4, 127));
    expectFatal(1, 0, Pdus.with(req, 0, 1));
    expectFatal(2, 0, command(TestQueue.sqe(Opcode.KEEP_ALIVE, 0)));
    expectFatal(2, 0, data(1, 1, 0, 512, true));
  }

  private void expectFatal(int fes, long fei, byte[] first) {
    TestQueue queue = world.queue();
    queue.send(first);
    expectTermReq(queue, fes, fei, first);
  }

  @Test
  void wrongPdusAreFatal() {
    byte[] plain = command(TestQueue.sqe(Opcode.KEEP_ALIVE, 0));
    byte[] inline = Pdus.pdu(4, 0, Pdus.capsule(TestQueue.sqe(Opcode.KEEP_ALIVE, 0)), bytes(512), false, false);
    byte[] long1 = Pdus.pdu(4, 0, Pdus.capsule(TestQueue.sqe(Opcode.KEEP_ALIVE, 0)), bytes(16385), false, false);
    expectBad(2, 0, Pdus.icReq(0, false, false));
    expectBad(1, 0, Pdus.with(plain, 0, 5));
    expectBad(1, 0, Pdus.with(plain, 0, 9));
    expectBad(1, 0, Pdus.with(plain, 0, 0xff));
    expectBad(1, 2, Pdus.with(plain, 2, 73));
    expectBad(1, 1, Pdus.with(plain, 1, 1));
    expectBad(1, 3, Pdus.with(inline, 3, 71));
    expectBad(1, 3, Pdus.with(inline, 3, 74));
    expectBad(1, 4, Pdus.with(plain, 4, 71));
    expectBad(1, 4, long1);
    expectBad(1, 4, Pdus.with(inline, 7, 0x80));
  }

  private void expectBad(int fes, long fei, byte[] bad) {
    TestQueue queue = world.admin();
    queue.send(bad);
    expectTermReq(queue, fes, fei, bad);
  }

  @Test
  void wrongHeaderDigestIsFatalWithTheDigest() {
    TestQueue queue = world.queue().initialize(0, true, false);
    byte[] bad = Pdus.pdu(4, 0, Pdus.capsule(TestQueue.sqe(1, 1)), new byte[0], true, false);
    bad[40] ^= 0x10;
    queue.send(bad);
    expectTermReq(queue, 3, Pdus.view(bad).getInt(72) & 0xffff_ffffL, bad);
  }

  @Test
  void dataThatWasNotAskedForIsFatal() {
    expectBadTransfer(4, 0, (cid, ttag) -> data(cid, ttag + 1, 0, 8192, true));
    expectBadTransfer(4, 0, (cid, ttag) -> data(cid + 1, ttag, 0, 8192, true));
    expectBadTransfer(4, 0, (cid, ttag) -> data(cid, 0xffff, 0, 8192, true));
    expectBadTransfer(4, 0, (cid, ttag) -> data(cid, ttag, 512, 512, false));
    expectBadTransfer(4, 0, (cid, ttag) -> data(cid, ttag, 0, 8704, true));
    expectBadTransfer(4, 0, (cid, ttag) -> data(cid, ttag, -512, 512, false));
    expectBadTransfer(1, 1, (cid, ttag) -> data(cid, ttag, 0, 8192, false));
    expectBadTransfer(1, 1, (cid, ttag) -> data(cid, ttag, 0, 4096, true));
    expectBadTransfer(1, 4, (cid, ttag) -> Pdus.with(data(cid, ttag, 0, 8192, true), 16, 1));
    expectBadTransfer(1, 16, (cid, ttag) -> {
      byte[] none = Pdus.with(data(cid, ttag, 0, 512, true), 17, 0);
      return none;
    });
  }

  private interface BadTransfer {
    byte[] pdu(int cid, int ttag);
  }

  private void expectBadTransfer(int fes, long fei, BadTransfer transfer) {
    TestQueue queue = world.io(world.admin(), 1);
    byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 16);
    Pdus.view(sqe).putShort(2, (short) 99);
    queue.send(command(sqe));
    byte[] r2t = queue.pdu();
    assertThat(r2t[0]).isEqualTo((byte) 9);
    assertThat(Pdus.view(r2t).getInt(16)).isEqualTo(8192);
    byte[] bad = transfer.pdu(99, Pdus.view(r2t).getShort(10) & 0xffff);
    queue.send(bad);
    expectTermReq(queue, fes, fei, bad);
    assertThat(world.device.ops).isEmpty();
  }

  @Test
  void aTagIsGoodOnce() {
    TestQueue queue = world.io(world.admin(), 1);
    byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 1);
    Pdus.view(sqe).putShort(2, (short) 99);
    queue.send(command(sqe));
    int ttag = Pdus.view(queue.pdu()).getShort(10) & 0xffff;
    queue.send(data(99, ttag, 0, 512, true));
    assertThat(queue.answer(99).status()).isZero();
    queue.send(command(sqe));
    int next = Pdus.view(queue.pdu()).getShort(10) & 0xffff;
    assertThat(next).isNotEqualTo(ttag);
    byte[] stale = data(99, ttag, 0, 512, true);
    queue.send(stale);
    expectTermReq(queue, 4, 0, stale);
  }

  @Test
  void moreCommandsThanEntriesEndTheQueue() {
    TestQueue admin = world.admin();
    TestQueue queue = world.initialized().connectIo(admin, 1, 7, true);
    world.device.holding = true;
    for (int i = 0; i < 8; i++) {
      queue.start(TestQueue.io(Opcode.READ, 1, 0, 1), null);
    }
    world.sim.runUntil(() -> world.device.held == 8, TestWorld.LIMIT_NS);
    int ninth = queue.start(TestQueue.io(Opcode.READ, 1, 0, 1), null);
    assertThat(queue.answer(ninth).status()).isEqualTo(NvmeStatus.COMMAND_SEQUENCE_ERROR | NvmeStatus.DNR);
    queue.awaitEnd();
    world.settle();
    assertThat(admin.ended).isFalse();
    world.device.letGo();
    world.settle();
    world.io(admin, 1);
  }

  @Test
  void aTermReqFromTheHostEndsTheConnection() {
    TestQueue queue = world.admin();
    byte[] term = new byte[24 + 72];
    Pdus.common(Pdus.view(term), 2, 0, 24, 0, term.length);
    Pdus.view(term).putShort(8, (short) 2);
    queue.send(term);
    queue.awaitEnd();
    assertThat(queue.pdus).isEmpty();
  }

  // Time.

  @Test
  void whoDoesNotConnectIsDropped() {
    TestQueue silent = world.queue();
    TestQueue slow = world.queue();
    byte[] req = Pdus.icReq(0, false, false);
    for (int i = 0; i < 10; i++) {
      slow.send(Arrays.copyOfRange(req, i, i + 1));
      world.sim.runFor(900_000_000L);
    }
    TestQueue initialized = world.initialized();
    assertThat(silent.ended || slow.ended).isFalse();
    world.sim.runFor(2_000_000_000L);
    assertThat(silent.ended).isTrue();
    assertThat(slow.ended).isTrue();
    assertThat(initialized.ended).isFalse();
    world.sim.runFor(10_000_000_000L);
    assertThat(initialized.ended).isTrue();
  }

  @Test
  void aSlowReaderGetsEverythingAndAStalledOneIsDropped() {
    TestQueue admin = world.admin();
    TestQueue slow = world.io(admin, 1);
    TestQueue other = world.io(admin, 2);
    slow.stopReading();
    int[] cids = new int[31];
    for (int i = 0; i < cids.length; i++) {
      cids[i] = slow.start(TestQueue.io(Opcode.READ, 1, i, 256), null);
    }
    for (int i = 0; i < 20; i++) {
      world.sim.runFor(2_000_000_000L);
      assertThat(other.call(TestQueue.io(Opcode.READ, 1, 0, 8), null).status()).isZero();
    }
    slow.startReading();
    for (int i = 0; i < cids.length; i++) {
      assertThat(slow.answer(cids[i]).data()).as("seed %d", seed)
          .isEqualTo(world.device.bytes(i * 512L, 256 * 512));
    }
    slow.stopReading();
    for (int i = 0; i < cids.length; i++) {
      slow.start(TestQueue.io(Opcode.READ, 1, i, 256), null);
    }
    world.sim.runFor(130_000_000_000L);
    assertThat(world.subsystem.connections().getFirst().ioQueues()).isEqualTo(1);
    assertThat(other.call(TestQueue.io(Opcode.READ, 1, 0, 8), null).status()).isZero();
  }

  @Test
  void whoDoesNotSendTheDataOfItsWritesIsDropped() {
    TestQueue admin = world.admin();
    TestQueue owing = world.io(admin, 1);
    TestQueue slow = world.io(admin, 2);
    byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 16);
    Pdus.view(sqe).putShort(2, (short) 99);
    owing.send(command(sqe));
    slow.send(command(sqe));
    byte[] r2t = slow.pdu();
    int ttag = Pdus.view(r2t).getShort(10) & 0xffff;
    for (int i = 0; i < 16; i++) {
      world.sim.runFor(30_000_000_000L);
      slow.send(data(99, ttag, 512 * i, 512, i == 15));
    }
    assertThat(slow.answer(99).status()).isZero();
    assertThat(owing.ended).isTrue();
    world.sim.runFor(300_000_000_000L);
    assertThat(slow.ended).isFalse();
  }

  // Bounds.

  @Test
  void littleMemoryMakesCommandsWait() {
    TargetConfig tight = TargetConfig.DEFAULT.withMemory(32 << 20, 2 << 20);
    TestWorld small = world(tight);
    TestQueue admin = small.admin();
    List<TestQueue> queues = List.of(small.io(admin, 1), small.io(admin, 2), small.io(admin, 3));
    byte[] content = bytes(512 << 10);
    List<Consumer<Void>> checks = new ArrayList<>();
    for (TestQueue queue : queues) {
      for (int i = 0; i < 20; i++) {
        int blocks = 1 + random.nextInt(1000);
        byte[] data = Arrays.copyOf(content, blocks * 512);
        boolean inline = data.length <= 16384;
        byte[] sqe = TestQueue.io(i % 2 == 0 ? Opcode.WRITE : Opcode.READ, 1, 0, blocks);
        int cid = i % 2 == 1
            ? queue.start(sqe, null)
            : inline ? queue.start(sqe, data) : queue.startWithR2t(sqe, data);
        checks.add(nothing -> assertThat(queue.answer(cid).status()).as("seed %d", seed).isZero());
      }
    }
    checks.forEach(check -> check.accept(null));
  }

  @Test
  void inCapsuleDataNeverWaitsForPeers() {
    TestWorld small = world(TargetConfig.DEFAULT.withMemory(32 << 20, 32 << 20));
    TestQueue admin = small.admin();
    List<TestQueue> hoarders = new ArrayList<>();
    // Two loops, 20 MiB of transfers each: these ask for far more and send nothing. That many that their shares are nothing.
    for (int i = 0; i < 16; i++) {
      TestQueue hoarder = small.io(admin, i + 1);
      for (int k = 0; k < 30; k++) {
        byte[] sqe = TestQueue.io(Opcode.WRITE, 1, 0, 2048);
        Pdus.view(sqe).putShort(2, (short) (1000 + k));
        hoarder.send(command(sqe));
      }
      hoarders.add(hoarder);
    }
    small.settle();
    TestQueue first = small.io(admin, 30);
    TestQueue second = small.io(admin, 31);
    for (TestQueue queue : List.of(first, second)) {
      for (int i = 0; i < 20; i++) {
        assertThat(queue.call(TestQueue.io(Opcode.WRITE, 1, 0, 32), bytes(16384)).status()).isZero();
      }
    }
    int waiting = first.start(TestQueue.io(Opcode.READ, 1, 0, 2048), null);
    small.settle();
    assertThat(first.answered(waiting)).isFalse();
    byte[] abort = TestQueue.sqe(Opcode.ABORT, 0);
    Pdus.view(abort).putInt(40, waiting << 16 | 30);
    assertThat(admin.call(abort, null).result()).as("aborted").isZero();
    assertThat(first.answer(waiting).status()).isEqualTo(NvmeStatus.ABORT_REQUESTED);
    int served = first.start(TestQueue.io(Opcode.READ, 1, 0, 2048), null);
    hoarders.forEach(TestQueue::reset);
    assertThat(first.answer(served).status()).isZero();
  }

  @Test
  void aControllerThatIsTurnedOffAndOnWhileItsDeviceWorksRemembersTheLastOnly() {
    TestQueue admin = world.admin();
    TestQueue queue = world.io(admin, 1);
    world.device.holding = true;
    queue.start(TestQueue.io(Opcode.READ, 1, 0, 1), null);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    for (int i = 0; i < 100; i++) {
      assertThat(admin.setProperty(0x14, 0x00460000).status()).isZero();
      assertThat(admin.setProperty(0x14, 0x00460001).status()).isZero();
    }
    assertThat(admin.setProperty(0x14, 0x00460000).status()).isZero();
    world.device.letGo();
    world.settle();
    assertThat(admin.property(0x1C).result()).as("CSTS").isZero();
    admin.enable();
    world.io(admin, 1);
  }

  @Test
  void tooManyConnectionsAreTurnedAway() {
    TestWorld small = world(TargetConfig.DEFAULT.withMemory(32 << 20, 32 << 20));
    small.sim.net().fragments(false);
    TestQueue admin = small.admin();
    List<TestQueue> flood = new ArrayList<>();
    for (int i = 0; i < 80; i++) {
      flood.add(small.queue());
    }
    small.settle();
    assertThat(flood.stream().filter(q -> q.ended).count()).as("turned away").isPositive();
    assertThat(flood.stream().filter(q -> !q.ended).count()).as("let in").isPositive();
    assertThat(admin.call(TestQueue.sqe(Opcode.KEEP_ALIVE, 0), null).status()).isZero();
    flood.forEach(TestQueue::close);
    small.settle();
    small.io(admin, 1);
  }

  // Connections that break.

  @Test
  void commandsAtTheDeviceOutliveTheirConnection() {
    TestQueue admin = world.admin();
    TestQueue queue = world.io(admin, 1);
    world.device.holding = true;
    for (int i = 0; i < 10; i++) {
      queue.start(TestQueue.io(Opcode.READ, 1, 0, 100), null);
      queue.start(TestQueue.io(Opcode.WRITE, 1, 0, 8), bytes(4096));
    }
    queue.startWithR2t(TestQueue.io(Opcode.WRITE, 1, 0, 1000), bytes(512_000));
    world.sim.runUntil(() -> world.device.held == 20, TestWorld.LIMIT_NS);
    queue.reset();
    admin.reset();
    world.settle();
    world.device.letGo();
    world.settle();
    assertThat(world.subsystem.connections()).isEmpty();
  }

  @Test
  void aConversationMayBreakAtEveryByte() {
    long step = random.nextLong(1, 41);
    for (long at = 0; at < 14_000; at += at < 3000 ? step : 10 * step) {
      world.sim.net().breakNextConnection(world.hostMachine, world.targetMachine, at);
      talkUntilItBreaks();
    }
    world.settle();
    assertThat(world.subsystem.connections()).isEmpty();
    world.io(world.admin(), 1);
  }

  private void talkUntilItBreaks() {
    TestQueue queue = world.queue();
    try {
      queue.initialize(0, true, true).connectAdmin(TestWorld.NQN, TestWorld.HOST, 1000);
      queue.enable();
      byte[] identify = TargetAdminTest.identify(1, 0, 0);
      for (int i = 0; i < 4; i++) {
        queue.call(identify, null);
      }
    } catch (AssertionError e) {
      assertThat(queue.ended).as("seed %d: %s", seed, e).isTrue();
    }
    queue.close();
  }
}
