package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.nvme.Nqn;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Get and Set Features, and the log pages that say what a controller knows: what they say must be what it does. */
class TargetFeaturesTest {
  private static final int DNR = NvmeStatus.DNR;
  private static final int INVALID_FIELD = NvmeStatus.INVALID_FIELD | DNR;
  private static final int SUPPORTED = 3 << 8;
  private static final int DEFAULT = 1 << 8;
  private static final int SAVED = 2 << 8;

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final TestWorld world = new TestWorld(seed);

  @AfterEach
  void nothingIsLeft() {
    world.close();
  }

  private static Reply get(TestQueue admin, int id, int dword11) {
    return admin.call(TargetAdminTest.feature(Opcode.GET_FEATURES, id, dword11), null);
  }

  private static Reply set(TestQueue admin, int id, int dword11) {
    return admin.call(TargetAdminTest.feature(Opcode.SET_FEATURES, id, dword11), null);
  }

  private static byte[] getData(TestQueue admin, int id, int dword11, int bytes) {
    byte[] sqe = TargetAdminTest.feature(Opcode.GET_FEATURES, id, dword11);
    Pdus.view(sqe).putInt(32, bytes);
    Reply reply = admin.call(sqe, null);
    assertThat(reply.status()).isZero();
    return reply.data();
  }

  private static Reply setData(TestQueue admin, int id, byte[] data) {
    return admin.call(TargetAdminTest.feature(Opcode.SET_FEATURES, id, 0), data);
  }

  private static long result(Reply reply) {
    assertThat(Integer.toHexString(reply.status())).isEqualTo("0");
    return reply.result();
  }

  @Test
  void everyFeatureSaysWhatCanBeDoneWithIt() {
    TestQueue admin = world.admin();
    List<Integer> changeable = List.of(0x01, 0x02, 0x04, 0x07, 0x0A, 0x0B, 0x0E, 0x0F, 0x16, 0x84);
    List<Integer> fixed = List.of(0x05, 0x06, 0x81);
    byte[] effects = admin.call(TargetAdminTest.log(0x12, 1024, 0, false), null).data();
    for (int id = 0; id < 256; id++) {
      boolean known = changeable.contains(id) || fixed.contains(id);
      Reply reply = get(admin, id | SUPPORTED, 0);
      assertThat(reply.status()).as("feature %x", id).isEqualTo(known ? 0 : INVALID_FIELD);
      assertThat(reply.result()).as("feature %x", id).isEqualTo(id == 0x84 ? 6 : changeable.contains(id) ? 4 : 0);
      assertThat(Pdus.view(effects).getInt(4 * id) & 1).as("effects of feature %x", id).isEqualTo(known ? 1 : 0);
      assertThat(set(admin, id | 1 << 31, 0).status()).as("saved feature %x", id)
          .isEqualTo(known ? NvmeStatus.FEATURE_NOT_SAVEABLE | DNR : INVALID_FIELD);
    }
    assertThat(get(admin, 0x01 | 4 << 8, 0).status()).as("a selection that is not defined").isEqualTo(INVALID_FIELD);
  }

  @Test
  void defaultsStayWhatTheyWereAndComeBackWithAReset() {
    TestQueue admin = world.admin();
    long events = result(get(admin, 0x0B, 0));
    assertThat(events & 1 << 8).as("namespace events").isNotZero();
    assertThat(result(set(admin, 0x01, 0x0102_0303))).isZero();
    result(set(admin, 0x0B, 1 << 11));
    result(set(admin, 0x0A, 1));
    result(set(admin, 0x04, 300));
    result(set(admin, 0x04, 250 | 1 << 20));
    assertThat(result(get(admin, 0x01, 0))).isEqualTo(0x0102_0303);
    assertThat(result(get(admin, 0x0B, 0))).isEqualTo(1 << 11);
    assertThat(result(get(admin, 0x0A, 0))).isEqualTo(1);
    assertThat(result(get(admin, 0x04, 0))).isEqualTo(300);
    assertThat(result(get(admin, 0x04, 1 << 20))).isEqualTo(250);
    for (int select : new int[] {DEFAULT, SAVED}) {
      assertThat(result(get(admin, 0x01 | select, 0))).isZero();
      assertThat(result(get(admin, 0x0B | select, 0))).isEqualTo(events);
      assertThat(result(get(admin, 0x0A | select, 0))).isZero();
      assertThat(result(get(admin, 0x04 | select, 0))).isEqualTo(0xffff);
    }
    admin.setProperty(0x14, 0x00460000);
    admin.enable();
    assertThat(result(get(admin, 0x01, 0))).isZero();
    assertThat(result(get(admin, 0x0B, 0))).isEqualTo(events);
    assertThat(result(get(admin, 0x04, 0))).isEqualTo(0xffff);
    assertThat(result(get(admin, 0x04, 1 << 20))).isZero();
  }

  @Test
  void wrongValuesAreRefused() {
    TestQueue admin = world.admin();
    assertThat(set(admin, 0x0B, 1 << 9).status()).as("an event that there is not").isEqualTo(INVALID_FIELD);
    assertThat(set(admin, 0x0B, 1 << 31).status()).as("a discovery event").isEqualTo(INVALID_FIELD);
    assertThat(set(admin, 0x02, 1).status()).as("a power state that there is not").isEqualTo(INVALID_FIELD);
    assertThat(result(set(admin, 0x02, 0))).isZero();
    assertThat(set(admin, 0x04, 1 << 16).status()).as("sensor 1").isEqualTo(INVALID_FIELD);
    assertThat(get(admin, 0x04, 1 << 16).status()).as("sensor 1").isEqualTo(INVALID_FIELD);
    assertThat(set(admin, 0x04, 2 << 20).status()).as("neither over nor under").isEqualTo(INVALID_FIELD);
    assertThat(result(set(admin, 0x04, 320 | 15 << 16))).isZero();
    assertThat(result(get(admin, 0x04, 0))).isEqualTo(320);
    assertThat(set(admin, 0x05, 1 << 16).status()).isEqualTo(NvmeStatus.FEATURE_NOT_CHANGEABLE | DNR);
    assertThat(result(set(admin, 0x05, 0))).isZero();
    // Interrupts, power saving and sleep are things of PCIe.
    for (int id : new int[] {0x08, 0x09, 0x0C, 0x0D, 0x10, 0x11}) {
      assertThat(set(admin, id, 0).status()).as("feature %x", id).isEqualTo(INVALID_FIELD);
    }
    byte[] behavior = new byte[512];
    behavior[0] = 2;
    assertThat(setData(admin, 0x16, behavior).status()).isEqualTo(INVALID_FIELD);
    assertThat(setData(admin, 0x16, new byte[511]).status()).isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | DNR);
    assertThat(get(admin, 0x81, 0).status()).as("host identifier of 64 bits").isEqualTo(INVALID_FIELD);
    assertThat(set(admin, 0x81, 1).status()).isEqualTo(NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR);
  }

  @Test
  void queuesAreAllottedBeforeTheyAreConnected() {
    TestQueue admin = world.admin();
    assertThat(result(get(admin, 7, 0))).isEqualTo(63 | 63 << 16);
    assertThat(result(set(admin, 7, 1 | 1 << 16))).isEqualTo(1 | 1 << 16);
    assertThat(result(get(admin, 7, 0))).isEqualTo(1 | 1 << 16);
    assertThat(result(get(admin, 7 | DEFAULT, 0))).isEqualTo(63 | 63 << 16);
    TestQueue second = world.io(admin, 2);
    Reply third = world.initialized().call(TestQueue.connect(3, 31, 0, false),
        TestQueue.connectData(admin.controllerId, TestWorld.NQN, TestWorld.HOST));
    assertThat(third.status()).isEqualTo(NvmeStatus.CONNECT_INVALID_PARAMETERS | DNR);
    assertThat(third.result()).as("QID is wrong").isEqualTo(42);
    assertThat(set(admin, 7, 3 | 3 << 16).status()).isEqualTo(NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR);
    second.close();
    world.settle();
    assertThat(result(set(admin, 7, 3 | 3 << 16))).isEqualTo(3 | 3 << 16);
  }

  @Test
  void timestampRunsOn() {
    TestQueue admin = world.admin();
    byte[] stamp = new byte[8];
    Pdus.view(stamp).putLong(0, 1_700_000_000_000L | 0xffffL << 48);
    world.sim.runFor(3_000_000_000L);
    long sinceReset = Pdus.view(getData(admin, 0x0E, 0, 8)).getLong(0);
    assertThat(sinceReset).isBetween(3000L, 5000L);
    assertThat(setData(admin, 0x0E, stamp).status()).isZero();
    world.sim.runFor(2_000_000_000L);
    long value = Pdus.view(getData(admin, 0x0E, 0, 8)).getLong(0);
    assertThat(value >> 49 & 7).as("set by a host").isEqualTo(1);
    assertThat(value & (1L << 48) - 1).isBetween(1_700_000_002_000L, 1_700_000_004_000L);
    assertThat(getData(admin, 0x0E | DEFAULT, 0, 8)).containsOnly(0);
  }

  @Test
  void hostBehaviorIsKept() {
    TestQueue admin = world.admin();
    byte[] behavior = new byte[512];
    behavior[0] = 1;
    assertThat(setData(admin, 0x16, behavior).status()).isZero();
    assertThat(getData(admin, 0x16, 0, 512)).isEqualTo(behavior);
    assertThat(getData(admin, 0x16 | DEFAULT, 0, 512)).containsOnly(0);
    assertThat(getData(admin, 0x81, 1, 16)).containsOnly(7);
  }

  @Test
  void aDiscoveryControllerHasEventsAndKeepAlive() {
    TestQueue host = world.initialized().connectAdmin(Nqn.DISCOVERY, TestWorld.HOST, 0);
    host.enable();
    for (int id = 0; id < 256; id++) {
      boolean known = id == 0x0B || id == 0x0F;
      assertThat(get(host, id | SUPPORTED, 0).status()).as("feature %x", id).isEqualTo(known ? 0 : INVALID_FIELD);
    }
    assertThat(result(get(host, 0x0B, 0)) & 1L << 31).as("discovery events").isNotZero();
    assertThat(set(host, 0x0B, 1 << 8).status()).as("namespace events").isEqualTo(INVALID_FIELD);
    result(set(host, 0x0F, 10_000));
    assertThat(result(get(host, 0x0F, 0))).isEqualTo(10_000);
    byte[] logs = host.call(TargetAdminTest.log(0, 1024, 0, false), null).data();
    for (int id = 0; id < 256; id++) {
      assertThat(Pdus.view(logs).getInt(4 * id)).as("log page %x", id).isEqualTo(id == 0 || id == 0x70 ? 1 : 0);
    }
  }

  // Log pages.

  @Test
  void supportedLogPagesAreThoseThatCanBeRead() {
    TestQueue admin = world.admin();
    byte[] logs = admin.call(TargetAdminTest.log(0, 1024, 0, false), null).data();
    for (int id = 0; id < 256; id++) {
      int status = admin.call(TargetAdminTest.log(id, 512, 0, true), null).status();
      assertThat(status).as("log page %x", id)
          .isEqualTo(Pdus.view(logs).getInt(4 * id) == 1 ? 0 : NvmeStatus.INVALID_LOG_PAGE | DNR);
    }
  }

  /** The log of effects against the commands: what it lists is known, what it does not list is an invalid opcode. */
  @Test
  void effectsAreTruthful() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    byte[] effects = admin.call(TargetAdminTest.log(5, 4096, 0, false), null).data();
    for (int opcode = 0; opcode < 256; opcode++) {
      if (opcode == Opcode.FABRICS) {
        continue;
      }
      boolean known = (Pdus.view(effects).getInt(1024 + 4 * opcode) & 1) != 0;
      int status = io.call(TestQueue.sqe(opcode, 99), null).status();
      assertThat(status).as("I/O opcode %x", opcode)
          .isEqualTo((known ? NvmeStatus.INVALID_NAMESPACE : NvmeStatus.INVALID_OPCODE) | DNR);
      boolean adminKnown = (Pdus.view(effects).getInt(4 * opcode) & 1) != 0;
      if (opcode != Opcode.ASYNC_EVENT_REQUEST) {
        assertThat(admin.call(TestQueue.sqe(opcode, 0), null).status() == (NvmeStatus.INVALID_OPCODE | DNR))
            .as("admin opcode %x", opcode).isEqualTo(!adminKnown);
      }
    }
    byte[] before = world.device.bytes(0, 64 << 10);
    for (int opcode : new int[] {Opcode.READ, Opcode.VERIFY, Opcode.FLUSH, Opcode.COMPARE}) {
      assertThat(Pdus.view(effects).getInt(1024 + 4 * opcode) & 2).as("opcode %x changes nothing", opcode).isZero();
    }
    for (int opcode : new int[] {Opcode.WRITE, Opcode.WRITE_ZEROES, Opcode.DATASET_MANAGEMENT, Opcode.COPY}) {
      assertThat(Pdus.view(effects).getInt(1024 + 4 * opcode) & 2).as("opcode %x changes", opcode).isEqualTo(2);
    }
    assertThat(world.device.bytes(0, 64 << 10)).isEqualTo(before);
  }

  @Test
  void aLogIsReadInAnyPieces() {
    TestQueue admin = world.admin();
    for (int id : new int[] {0x01, 0x05, 0x0C, 0x12}) {
      byte[] whole = admin.call(TargetAdminTest.log(id, 1024, 0, true), null).data();
      for (int i = 0; i < 8; i++) {
        int offset = 4 * random.nextInt(255);
        int bytes = 4 * (1 + random.nextInt((1024 - offset) / 4));
        assertThat(admin.call(TargetAdminTest.log(id, bytes, offset, true), null).data()).as("seed %d", seed)
            .isEqualTo(java.util.Arrays.copyOfRange(whole, offset, offset + bytes));
      }
    }
    byte[] index = TargetAdminTest.log(5, 64, 0, false);
    Pdus.view(index).putInt(56, 1 << 23);
    assertThat(admin.call(index, null).status()).as("offset by index").isEqualTo(INVALID_FIELD);
    byte[] zoned = TargetAdminTest.log(5, 508, 1024, false);
    Pdus.view(zoned).putInt(56, 2 << 24);
    assertThat(admin.call(zoned, null).data()).as("zoned command set").hasSize(508).containsOnly(0);
    byte[] smart = TargetAdminTest.log(2, 512, 0, false);
    Pdus.view(smart).putInt(4, 77);
    assertThat(admin.call(smart, null).status()).isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    Pdus.view(smart).putInt(4, 1);
    assertThat(admin.call(smart, null).status()).isZero();
  }

  // Keep alive by traffic.

  @Test
  void trafficOnAnyQueueKeepsAlive() {
    TestQueue admin = world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST, 5000);
    admin.enable();
    byte[] id = admin.call(TargetAdminTest.identify(1, 0, 0), null).data();
    assertThat(Pdus.view(id).getInt(96) & 1 << 6).as("CTRATT TBKAS").isNotZero();
    TestQueue[] io = {world.io(admin, 1), world.io(admin, 2)};
    for (int i = 0; i < 12; i++) {
      world.sim.runFor(4_000_000_000L);
      TestQueue queue = io[random.nextInt(2)];
      assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).as("seed %d", seed).isZero();
    }
    for (int i = 0; i < 3; i++) {
      world.sim.runFor(4_000_000_000L);
      result(get(admin, 7, 0));
    }
    assertThat(admin.ended).isFalse();
    world.sim.runFor(11_000_000_000L);
    assertThat(admin.ended).as("silent for two time-outs").isTrue();
    assertThat(io[0].ended && io[1].ended).isTrue();
  }

  @Test
  void aCommandThatTakesLongIsTrafficWhenItEnds() {
    TestQueue admin = world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST, 5000);
    admin.enable();
    TestQueue io = world.io(admin, 1);
    world.device.holding = true;
    int cid = io.start(TestQueue.io(Opcode.READ, 1, 0, 1), null);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    world.sim.runFor(7_000_000_000L);
    world.device.letGo();
    assertThat(io.answer(cid).status()).isZero();
    world.sim.runFor(5_000_000_000L);
    assertThat(admin.ended).isFalse();
    world.sim.runFor(10_000_000_000L);
    assertThat(admin.ended).isTrue();
  }

  // Limits of commands.

  @Test
  void noMoreAbortsThanAnnounced() {
    TestQueue admin = world.admin();
    world.io(admin, 1);
    world.io(admin, 2);
    byte[] id = admin.call(TargetAdminTest.identify(1, 0, 0), null).data();
    int announced = id[258] + 1;
    // Aborts of commands on the other loop are under way until it has answered.
    int refused = 0;
    for (int round = 0; round < 50 && refused == 0; round++) {
      int[] cids = new int[16];
      for (int i = 0; i < cids.length; i++) {
        byte[] abort = TestQueue.sqe(Opcode.ABORT, 0);
        Pdus.view(abort).putInt(40, 7 << 16 | 1 + round % 2);
        cids[i] = admin.start(abort, null);
      }
      int served = 0;
      for (int cid : cids) {
        int status = admin.answer(cid).status();
        assertThat(status).isIn(0, NvmeStatus.ABORT_LIMIT_EXCEEDED);
        served += status == 0 ? 1 : 0;
      }
      refused = cids.length - served;
      assertThat(served).isGreaterThanOrEqualTo(announced);
    }
    assertThat(refused).as("16 at once against %d, seed %d", announced, seed).isPositive();
  }

  @Test
  void verifyChecksItsRangeAndTheMedium() {
    TestQueue io = world.io(world.admin(), 1);
    long blocks = TestWorld.SIZE / TestWorld.BLOCK;
    assertThat(io.call(TestQueue.io(Opcode.VERIFY, 1, 0, (int) blocks), null).status()).isZero();
    assertThat(io.call(TestQueue.io(Opcode.VERIFY, 1, blocks - 1, 2), null).status())
        .isEqualTo(NvmeStatus.LBA_OUT_OF_RANGE | DNR);
    byte[] pract = TestQueue.io(Opcode.VERIFY, 1, 0, 1);
    Pdus.view(pract).putShort(50, (short) (1 << 13));
    assertThat(io.call(pract, null).status()).as("PRACT").isEqualTo(INVALID_FIELD);
    world.device.log.clear();
    assertThat(io.call(TestQueue.io(Opcode.VERIFY, 1, 3, 600), null).status()).isZero();
    assertThat(world.device.log).as("in bounded pieces").containsExactly("READ 1536+131072", "READ 132608+131072",
        "READ 263680+45056");
    world.device.fail = Status.MEDIUM_ERROR;
    assertThat(io.call(TestQueue.io(Opcode.VERIFY, 1, 0, 600), null).status())
        .isEqualTo(NvmeStatus.UNRECOVERED_READ_ERROR);
    world.device.fail = Status.OK;
  }
}
