package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.nvme.AnaState;
import io.remora.nvme.Nqn;
import io.remora.nvme.NvmeStatus;
import io.remora.nvme.Opcode;
import io.remora.nvme.target.Subsystem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Connect, properties, the admin command set, events, discovery, who may connect. */
class TargetAdminTest {
  private static final int DNR = NvmeStatus.DNR;
  private static final int SEQUENCE = NvmeStatus.COMMAND_SEQUENCE_ERROR | DNR;
  private static final int INVALID_FIELD = NvmeStatus.INVALID_FIELD | DNR;
  private static final int FROM_DATA = 1 << 16;

  private final long seed = System.nanoTime();
  private final TestWorld world = new TestWorld(seed);

  @AfterEach
  void nothingIsLeft() {
    world.close();
  }

  static byte[] identify(int cns, int nsid, int csi) {
    byte[] sqe = TestQueue.sqe(Opcode.IDENTIFY, nsid);
    Pdus.view(sqe).putInt(32, 4096).putInt(40, cns).putInt(44, csi << 24);
    return sqe;
  }

  static byte[] log(int page, int bytes, long offset, boolean retain) {
    byte[] sqe = TestQueue.sqe(Opcode.GET_LOG_PAGE, -1);
    int dwords = bytes / 4 - 1;
    Pdus.view(sqe).putInt(32, bytes).putInt(40, page | (retain ? 1 << 15 : 0) | dwords << 16).putInt(44, dwords >>> 16)
        .putLong(48, offset);
    return sqe;
  }

  static byte[] feature(int opcode, int id, int value) {
    byte[] sqe = TestQueue.sqe(opcode, 0);
    Pdus.view(sqe).putInt(40, id).putInt(44, value);
    return sqe;
  }

  private static String text(byte[] bytes, int offset, int length) {
    return new String(bytes, offset, length, StandardCharsets.US_ASCII);
  }

  private static byte[] data(Reply reply) {
    assertThat(Integer.toHexString(reply.status())).isEqualTo("0");
    return reply.data();
  }

  // Connect.

  @Test
  void nothingButConnectComesFirst() {
    TestQueue queue = world.initialized();
    assertThat(queue.call(identify(1, 0, 0), null).status()).isEqualTo(SEQUENCE);
    assertThat(queue.property(0).status()).isEqualTo(SEQUENCE);
    assertThat(queue.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isEqualTo(SEQUENCE);
    queue.connectAdmin(TestWorld.NQN, TestWorld.HOST, 0);
    assertThat(queue.call(TestQueue.connect(0, 31, 0, false),
        TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST)).status()).isEqualTo(SEQUENCE);
    assertThat(queue.call(identify(1, 0, 0), null).status()).as("not enabled").isEqualTo(SEQUENCE);
    queue.enable();
    assertThat(queue.call(identify(1, 0, 0), null).status()).isZero();
  }

  @Test
  void aWrongConnectSaysWhatIsWrong() {
    expectConnect(0, 31, 0xffff, "nqn.2024-01.test:none", TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS,
        FROM_DATA | 256);
    expectConnect(0, 31, 0xffff, "no nqn", TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | 256);
    expectConnect(0, 31, 0xffff, TestWorld.NQN, "nqn.2024-01.test:" + "x".repeat(220),
        NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | 512);
    expectConnect(0, 31, 1, TestWorld.NQN, TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | 16);
    expectConnect(0, 0, 0xffff, TestWorld.NQN, TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, 44);
    expectConnect(0, 256, 0xffff, TestWorld.NQN, TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, 44);
    expectConnect(0, 0xffff, 0xffff, TestWorld.NQN, TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, 44);
    expectConnect(1, 31, 1, TestWorld.NQN, TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, FROM_DATA | 16);
    TestQueue admin = world.admin();
    int id = admin.controllerId;
    expectConnect(0x1000, 31, id, TestWorld.NQN, TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, 42);
    expectConnect(1, 31, id, TestWorld.NQN, TestWorld.HOST + "2", NvmeStatus.CONNECT_INVALID_PARAMETERS,
        FROM_DATA | 16);
    world.io(admin, 1);
    expectConnect(1, 31, id, TestWorld.NQN, TestWorld.HOST, NvmeStatus.COMMAND_SEQUENCE_ERROR, 0);
    TestQueue format = world.initialized();
    byte[] sqe = Pdus.with(TestQueue.connect(0, 31, 0, false), 40, 1);
    assertThat(format.call(sqe, TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST)).status())
        .isEqualTo(NvmeStatus.CONNECT_BAD_FORMAT | DNR);
    assertThat(format.call(TestQueue.connect(0, 31, 0, false), new byte[512]).status())
        .isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | DNR);
    format.connectAdmin(TestWorld.NQN, TestWorld.HOST, 0);
  }

  private void expectConnect(int qid, int sqsize, int cntlid, String subNqn, String hostNqn, int status, int result) {
    byte[] data = TestQueue.connectData(cntlid, subNqn, hostNqn.length() > 230 ? hostNqn.substring(0, 230) : hostNqn);
    Reply reply = world.initialized().call(TestQueue.connect(qid, sqsize, 0, false), data);
    assertThat(Integer.toHexString(reply.status())).isEqualTo(Integer.toHexString(status | DNR));
    assertThat(reply.result()).isEqualTo(result);
  }

  @Test
  void ioQueuesNeedAnEnabledController() {
    TestQueue admin = world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST, 0);
    expectConnect(1, 31, admin.controllerId, TestWorld.NQN, TestWorld.HOST, NvmeStatus.CONNECT_INVALID_PARAMETERS, 42);
    admin.enable();
    TestQueue io = world.io(admin, 1);
    assertThat(io.property(0).status()).isEqualTo(NvmeStatus.INVALID_OPCODE | DNR);
    byte[] disconnect = TestQueue.fabrics(Opcode.DISCONNECT);
    assertThat(admin.call(disconnect, null).status()).isEqualTo(NvmeStatus.INVALID_QUEUE_TYPE | DNR);
    assertThat(io.call(disconnect, null).status()).isZero();
    io.awaitEnd();
    world.settle();
    world.io(admin, 1);
  }

  @Test
  void connectMayFetchItsData() {
    TestQueue queue = world.queue().initialize(3, true, true);
    Reply reply = queue.callWithR2t(TestQueue.connect(0, 31, 0, true),
        TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST));
    assertThat(reply.status()).isZero();
    assertThat(reply.sqhd()).isEqualTo(0xffff);
    queue.enable();
    assertThat(queue.call(identify(1, 0, 0), null).sqhd()).as("SUCCESS instead of a response").isEqualTo(-1);
  }

  @Test
  void controllerIdentifiersAreUnique() {
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      ids.add(world.admin().controllerId);
    }
    assertThat(ids).doesNotHaveDuplicates();
    assertThat(world.subsystem.connections()).hasSize(4);
  }

  // Properties.

  @Test
  void properties() {
    TestQueue queue = world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST, 0);
    long cap = queue.property(0).result();
    assertThat(cap & 0xffff).isEqualTo(255);
    assertThat(cap >> 37 & 1).isEqualTo(1);
    assertThat(cap >> 48 & 0xf).as("pages of 4 KiB").isZero();
    assertThat(queue.property(8).result()).isEqualTo(0x10400);
    assertThat(queue.property(0x1C).result()).isZero();
    assertThat(queue.property(0x20).status()).isEqualTo(INVALID_FIELD);
    assertThat(queue.property(0x24).status()).isEqualTo(INVALID_FIELD);
    assertThat(queue.setProperty(8, 1).status()).isEqualTo(INVALID_FIELD);
    assertThat(queue.setProperty(0x14, 0x00470001).status()).as("I/O entries of 128 bytes").isZero();
    assertThat(queue.property(0x1C).result()).as("fatal").isEqualTo(2);
    queue.setProperty(0x14, 0);
    queue.enable();
    assertThat(queue.property(0x14).result()).isEqualTo(0x00460001);
    TestQueue io = world.io(queue, 1);
    queue.setProperty(0x14, 0x00464001);
    assertThat(queue.property(0x1C).result()).as("shut down").isEqualTo(9);
    io.awaitEnd();
    queue.setProperty(0x14, 0x00460000);
    assertThat(queue.property(0x1C).result()).isZero();
    assertThat(queue.call(identify(1, 0, 0), null).status()).isEqualTo(SEQUENCE);
    queue.enable();
    world.io(queue, 1);
  }

  // Identify.

  @Test
  void identifyController() {
    TestQueue admin = world.admin();
    byte[] bytes = data(admin.call(identify(1, 0, 0), null));
    ByteBuffer b = Pdus.view(bytes);
    assertThat(text(bytes, 24, 40)).isEqualTo("Remora" + " ".repeat(34));
    assertThat(text(bytes, 4, 20).strip()).isEqualTo(world.subsystem.config().serial());
    assertThat(b.getShort(78) & 0xffff).isEqualTo(admin.controllerId);
    assertThat(b.getInt(80)).isEqualTo(0x10400);
    assertThat(b.get(76)).as("CMIC").isEqualTo((byte) 0xA);
    assertThat(b.get(77)).as("MDTS, 1 MiB").isEqualTo((byte) 8);
    assertThat(b.get(111)).isEqualTo((byte) 1);
    assertThat(b.getShort(320)).as("KAS").isPositive();
    assertThat(b.get(512)).isEqualTo((byte) 0x66);
    assertThat(b.get(513)).isEqualTo((byte) 0x44);
    assertThat(b.getShort(514)).as("MAXCMD").isEqualTo((short) 256);
    assertThat(b.getInt(536)).as("SGLS").isEqualTo(1 | 1 << 20);
    assertThat(text(bytes, 768, TestWorld.NQN.length() + 1)).isEqualTo(TestWorld.NQN + "\0");
    assertThat(b.getInt(1792)).as("IOCCSZ").isEqualTo((16384 + 64) / 16);
    assertThat(b.getInt(1796)).as("IORCSZ").isEqualTo(1);
    assertThat(b.getShort(1800)).as("ICDOFF").isZero();
    assertThat(b.getInt(540)).as("MNAN").isPositive().isLessThanOrEqualTo(b.getInt(516));
  }

  @Test
  void identifyNamespaces() {
    TestDevice second = new TestDevice(world.arena, 4096, 1 << 20);
    world.subsystem.addNamespace(7, second);
    TestQueue admin = world.admin();
    byte[] oneBytes = data(admin.call(identify(0, 1, 0), null));
    ByteBuffer one = Pdus.view(oneBytes);
    assertThat(one.getLong(0)).isEqualTo(TestWorld.SIZE / 512);
    assertThat(one.getLong(8)).isEqualTo(TestWorld.SIZE / 512);
    assertThat(one.get(130)).isEqualTo((byte) 9);
    assertThat(one.get(30)).as("shared").isEqualTo((byte) 1);
    assertThat(one.getInt(92)).isEqualTo(1);
    ByteBuffer seven = Pdus.view(data(admin.call(identify(0, 7, 0), null)));
    assertThat(seven.getLong(0)).isEqualTo(256);
    assertThat(seven.get(130)).isEqualTo((byte) 12);
    assertThat(data(admin.call(identify(0, 2, 0), null))).as("inactive").containsOnly(0);
    assertThat(admin.call(identify(0, 0, 0), null).status()).isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    assertThat(admin.call(identify(0, -1, 0), null).status()).isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    assertThat(ids(data(admin.call(identify(2, 0, 0), null)))).containsExactly(1, 7);
    assertThat(ids(data(admin.call(identify(2, 1, 0), null)))).containsExactly(7);
    assertThat(ids(data(admin.call(identify(2, 7, 0), null)))).isEmpty();
    assertThat(ids(data(admin.call(identify(7, 0, 0), null)))).containsExactly(1, 7);
    assertThat(admin.call(identify(2, -2, 0), null).status()).isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    byte[] descriptors = data(admin.call(identify(3, 1, 0), null));
    assertThat(Arrays.copyOf(descriptors, 4)).containsExactly(2, 16, 0, 0);
    assertThat(Arrays.copyOfRange(descriptors, 20, 24)).containsExactly(3, 16, 0, 0);
    assertThat(Arrays.copyOfRange(descriptors, 24, 40)).isEqualTo(Arrays.copyOfRange(oneBytes, 104, 120));
    assertThat(Arrays.copyOfRange(descriptors, 40, 46)).containsExactly(4, 1, 0, 0, 0, 0);
    assertThat(admin.call(identify(3, 2, 0), null).status()).isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    assertThat(data(admin.call(identify(5, 1, 0), null))).containsOnly(0);
    assertThat(data(admin.call(identify(6, 0, 0), null))).containsOnly(0);
    assertThat(data(admin.call(identify(8, 1, 0), null))[14]).as("ready").isEqualTo((byte) 1);
    assertThat(admin.call(identify(6, 0, 2), null).status()).as("zoned").isEqualTo(INVALID_FIELD);
    assertThat(admin.call(identify(0x14, 0, 0), null).status()).isEqualTo(INVALID_FIELD);
    byte[] cut = identify(1, 0, 0);
    Pdus.view(cut).putInt(32, 4092);
    assertThat(admin.call(cut, null).status()).isEqualTo(NvmeStatus.INVALID_SGL_LENGTH | DNR);
    world.await(world.subsystem.removeNamespace(7));
  }

  private static List<Integer> ids(byte[] list) {
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; Pdus.view(list).getInt(i) != 0; i += 4) {
      ids.add(Pdus.view(list).getInt(i));
    }
    return ids;
  }

  // Logs and features.

  @Test
  void logPages() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    for (int i = 0; i < 3; i++) {
      io.call(TestQueue.io(Opcode.READ, 1, 0, 1000), null);
    }
    io.call(TestQueue.io(Opcode.WRITE, 1, 0, 1), new byte[512]);
    io.call(TestQueue.io(Opcode.READ, 9, 5, 1), null);
    world.settle();
    ByteBuffer smart = Pdus.view(data(admin.call(log(2, 512, 0, false), null)));
    assertThat(smart.getLong(64)).as("reads").isEqualTo(3);
    assertThat(smart.getLong(32)).as("thousands of blocks read").isEqualTo(3);
    assertThat(smart.getLong(80)).as("writes").isEqualTo(1);
    assertThat(smart.getLong(48)).isEqualTo(1);
    assertThat(smart.getLong(176)).as("errors").isEqualTo(1);
    ByteBuffer errors = Pdus.view(data(admin.call(log(1, 128, 0, false), null)));
    assertThat(errors.getLong(0)).isEqualTo(1);
    assertThat(errors.getShort(8)).as("queue").isEqualTo((short) 1);
    assertThat((errors.getShort(12) & 0xffff) >> 1).isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    assertThat(errors.getLong(16)).isEqualTo(5);
    assertThat(errors.getInt(24)).isEqualTo(9);
    assertThat(errors.getLong(64)).isZero();
    byte[] effects = data(admin.call(log(5, 4096, 0, false), null));
    assertThat(Pdus.view(effects).getInt(1024 + 4) & 3).isEqualTo(3);
    byte[] part = data(admin.call(log(5, 8, 1024, false), null));
    assertThat(part).isEqualTo(Arrays.copyOfRange(effects, 1024, 1032));
    ByteBuffer ana = Pdus.view(data(admin.call(log(0xC, 4144, 0, false), null)));
    assertThat(ana.getShort(8)).isEqualTo((short) 1);
    assertThat(ana.getInt(20)).isEqualTo(1);
    assertThat(ana.get(32)).isEqualTo((byte) 1);
    assertThat(ana.getInt(48)).isEqualTo(1);
    assertThat(text(data(admin.call(log(3, 512, 0, false), null)), 8, 8)).isEqualTo("0.1     ");
    assertThat(admin.call(log(0xD, 64, 0, false), null).status()).isEqualTo(NvmeStatus.INVALID_LOG_PAGE | DNR);
    assertThat(admin.call(log(0x70, 64, 0, false), null).status()).isEqualTo(NvmeStatus.INVALID_LOG_PAGE | DNR);
    assertThat(admin.call(log(5, 8, 1026, false), null).status()).isEqualTo(INVALID_FIELD);
    assertThat(admin.call(log(5, 8, 4100, false), null).status()).isEqualTo(INVALID_FIELD);
    assertThat(admin.call(log(5, 8, -8, false), null).status()).isEqualTo(INVALID_FIELD);
    assertThat(admin.call(log(5, 2 << 20, 0, false), null).status()).as("over MDTS").isEqualTo(INVALID_FIELD);
  }

  @Test
  void features() {
    TestQueue admin = world.admin();
    Reply queues = admin.call(feature(Opcode.SET_FEATURES, 7, 3 | 200 << 16), null);
    assertThat(queues.status()).isZero();
    assertThat(queues.result()).isEqualTo(63 | 63 << 16);
    assertThat(admin.call(feature(Opcode.GET_FEATURES, 7, 0), null).result()).isEqualTo(63 | 63 << 16);
    assertThat(admin.call(feature(Opcode.SET_FEATURES, 7, 0xffff), null).status()).isEqualTo(INVALID_FIELD);
    assertThat(admin.call(feature(Opcode.SET_FEATURES, 0xF, 4500), null).status()).isZero();
    assertThat(admin.call(feature(Opcode.GET_FEATURES, 0xF, 0), null).result()).as("rounded up").isEqualTo(5000);
    admin.call(feature(Opcode.SET_FEATURES, 0xF, 0), null);
    assertThat(admin.call(feature(Opcode.SET_FEATURES, 0xB, 0x100), null).status()).isZero();
    assertThat(admin.call(feature(Opcode.GET_FEATURES, 0xB, 0), null).result()).isEqualTo(0x100);
    assertThat(admin.call(feature(Opcode.GET_FEATURES, 6, 0), null).result()).isEqualTo(1);
    assertThat(admin.call(feature(Opcode.SET_FEATURES, 6, 0), null).status())
        .isEqualTo(NvmeStatus.FEATURE_NOT_CHANGEABLE | DNR);
    assertThat(admin.call(feature(Opcode.SET_FEATURES, 0xB | 1 << 31, 0), null).status())
        .isEqualTo(NvmeStatus.FEATURE_NOT_SAVEABLE | DNR);
    byte[] hostId = feature(Opcode.GET_FEATURES, 0x81, 1);
    Pdus.view(hostId).putInt(32, 16);
    assertThat(data(admin.call(hostId, null))).hasSize(16).containsOnly(7);
    assertThat(admin.call(feature(Opcode.GET_FEATURES, 0x99, 0), null).status()).isEqualTo(INVALID_FIELD);
    assertThat(admin.call(feature(Opcode.SET_FEATURES, 0x99, 0), null).status()).isEqualTo(INVALID_FIELD);
    for (int opcode : new int[] {0x00, 0x01, 0x04, 0x05, 0x0D, 0x10, 0x80, 0x84, 0xC0}) {
      assertThat(admin.call(TestQueue.sqe(opcode, 1), null).status()).isEqualTo(NvmeStatus.INVALID_OPCODE | DNR);
    }
  }

  // Events, keep alive, abort.

  @Test
  void aNamespaceThatChangesIsTold() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    int first = admin.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
    world.settle();
    assertThat(admin.answered(first)).isFalse();
    world.device.resize(TestWorld.SIZE + (1 << 20));
    Reply event = admin.answer(first);
    assertThat(event.status()).isZero();
    assertThat(event.result()).isEqualTo(0x04_00_02);
    int second = admin.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
    TestDevice added = new TestDevice(world.arena, 4096, 1 << 20);
    world.subsystem.addNamespace(5, added);
    world.settle();
    assertThat(admin.answered(second)).as("not before the log was read").isFalse();
    assertThat(ids(data(admin.call(log(4, 4096, 0, true), null)))).containsExactly(1, 5);
    assertThat(admin.answered(second)).as("retained").isFalse();
    assertThat(ids(data(admin.call(log(4, 4096, 0, false), null)))).containsExactly(1, 5);
    assertThat(admin.answer(second).result()).isEqualTo(0x04_00_02);
    assertThat(ids(data(admin.call(log(4, 4096, 0, false), null)))).isEmpty();
    long last = (TestWorld.SIZE + (1 << 20)) / 512 - 1;
    assertThat(io.call(TestQueue.io(Opcode.READ, 1, last, 1), null).status()).isZero();
    byte[] read = TestQueue.io(Opcode.READ, 5, 0, 8);
    byte[] one = Pdus.with(read, 48, 0);
    assertThat(io.call(one, null).status()).isZero();
    world.await(world.subsystem.removeNamespace(5));
    assertThat(added.openChannels).isZero();
    assertThat(io.call(one, null).status()).isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    TestDevice other = new TestDevice(world.arena, 512, 1 << 20);
    world.subsystem.addNamespace(5, other);
    assertThat(io.call(TestQueue.io(Opcode.READ, 5, 0, 8), null).status()).isZero();
    other.remove();
    world.settle();
    assertThat(io.call(TestQueue.io(Opcode.READ, 5, 0, 8), null).status())
        .isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    assertThat(other.openChannels).isZero();
  }

  @Test
  void aNamespaceIsReleasedWhenItsLastCommandEnds() {
    TestQueue io = world.io(world.admin(), 1);
    world.device.holding = true;
    int cid = io.start(TestQueue.io(Opcode.READ, 1, 0, 8), null);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    var released = world.subsystem.removeNamespace(1);
    world.settle();
    assertThat(released).isNotDone();
    assertThat(io.call(TestQueue.io(Opcode.READ, 1, 0, 8), null).status())
        .isEqualTo(NvmeStatus.INVALID_NAMESPACE | DNR);
    world.device.letGo();
    assertThat(io.answer(cid).status()).isZero();
    world.await(released);
    assertThat(world.device.openChannels).isZero();
  }

  private List<Integer> controllers(TestQueue admin, int from) {
    byte[] list = data(admin.call(identify(0x13 | from << 16, 0, 0), null));
    List<Integer> ids = new ArrayList<>();
    for (int i = 1; i <= Pdus.view(list).getShort(0); i++) {
      ids.add((int) Pdus.view(list).getShort(2 * i));
    }
    return ids;
  }

  /** A host that has lost a connection learns from this when its old commands cannot change anything any more. */
  @Test
  void aControllerIsListedUntilItsCommandsHaveEnded() {
    TestQueue first = world.admin();
    TestQueue io = world.io(first, 1);
    TestQueue second = world.admin();
    assertThat(controllers(second, 0)).containsExactly(first.controllerId, second.controllerId);
    assertThat(controllers(second, second.controllerId)).containsExactly(second.controllerId);
    world.device.holding = true;
    io.start(TestQueue.io(Opcode.WRITE_ZEROES, 1, 0, 8), null);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    first.reset();
    io.reset();
    world.settle();
    assertThat(controllers(second, 0)).containsExactly(first.controllerId, second.controllerId);
    world.device.letGo();
    world.settle();
    assertThat(controllers(second, 0)).containsExactly(second.controllerId);
  }

  @Test
  void aResetIsOverWhenTheCommandsHaveEnded() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    world.device.holding = true;
    io.start(TestQueue.io(Opcode.WRITE_ZEROES, 1, 0, 8), null);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    assertThat(admin.setProperty(0x14, 0x00460000).status()).isZero();
    world.settle();
    assertThat(admin.property(0x1C).result() & 1).as("RDY").isEqualTo(1);
    TestQueue tooEarly = world.initialized();
    assertThat(tooEarly.call(TestQueue.connect(1, 31, 0, true),
        TestQueue.connectData(admin.controllerId, TestWorld.NQN, TestWorld.HOST)).status()).isNotZero();
    world.device.letGo();
    world.settle();
    assertThat(admin.property(0x1C).result() & 1).as("RDY").isZero();
    admin.enable();
    world.io(admin, 1);
  }

  @Test
  void accessStateIsToldAndHolds() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    int event = admin.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
    world.settle();
    world.subsystem.ana(AnaState.INACCESSIBLE);
    assertThat(admin.answer(event).result()).isEqualTo(0x0C_03_02);
    assertThat(io.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isEqualTo(NvmeStatus.ANA_INACCESSIBLE);
    ByteBuffer log = Pdus.view(data(admin.call(log(0xC, 52, 0, false), null)));
    assertThat(log.getLong(0)).isEqualTo(1);
    assertThat(log.get(32)).isEqualTo((byte) 3);
    world.subsystem.ana(AnaState.NON_OPTIMIZED);
    assertThat(io.call(TestQueue.io(Opcode.READ, 1, 0, 1), null).status()).isZero();
  }

  @Test
  void noMoreEventRequestsThanAnnounced() {
    TestQueue admin = world.admin();
    int[] cids = new int[4];
    for (int i = 0; i < cids.length; i++) {
      cids[i] = admin.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
    }
    assertThat(admin.call(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null).status())
        .isEqualTo(NvmeStatus.AER_LIMIT_EXCEEDED | DNR);
    byte[] abort = TestQueue.sqe(Opcode.ABORT, 0);
    Pdus.view(abort).putInt(40, cids[1] << 16);
    assertThat(admin.call(abort, null).result()).as("aborted").isZero();
    assertThat(admin.answer(cids[1]).status()).isEqualTo(NvmeStatus.ABORT_REQUESTED);
    Reply again = admin.call(abort, null);
    assertThat(again.result()).as("not found").isEqualTo(1);
    assertThat(again.status()).isZero();
  }

  @Test
  void eventRequestsEndWithTheController() {
    TestQueue admin = world.admin();
    for (int round = 0; round < 40; round++) {
      for (int i = 0; i < 4; i++) {
        admin.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
      }
      admin.setProperty(0x14, round % 2 == 0 ? 0x00460000 : 0x00464001);
      admin.setProperty(0x14, 0x00460000);
      admin.enable();
    }
    assertThat(admin.replies).as("no answer for a request that the reset has ended").isEmpty();
    assertThat(admin.call(identify(1, 0, 0), null).status()).isZero();
  }

  @Test
  void abortOfACommandAtTheDeviceComesTooLate() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    world.device.holding = true;
    int cid = io.start(TestQueue.io(Opcode.READ, 1, 0, 8), null);
    world.sim.runUntil(() -> world.device.held == 1, TestWorld.LIMIT_NS);
    byte[] abort = TestQueue.sqe(Opcode.ABORT, 0);
    Pdus.view(abort).putInt(40, cid << 16 | 1);
    assertThat(admin.call(abort, null).result()).isEqualTo(1);
    world.device.letGo();
    assertThat(io.answer(cid).status()).isZero();
    Pdus.view(abort).putInt(40, cid << 16 | 9);
    assertThat(admin.call(abort, null).result()).isEqualTo(1);
  }

  @Test
  void aHostThatFallsSilentLosesItsQueues() {
    TestQueue admin = world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST, 5000);
    admin.enable();
    TestQueue io = world.io(admin, 1);
    for (int i = 0; i < 5; i++) {
      world.sim.runFor(4_000_000_000L);
      assertThat(admin.call(TestQueue.sqe(Opcode.KEEP_ALIVE, 0), null).status()).isZero();
    }
    world.sim.runFor(4_500_000_000L);
    assertThat(admin.ended).isFalse();
    world.sim.runFor(1_500_000_000L);
    assertThat(admin.ended).isTrue();
    assertThat(io.ended).isTrue();
    assertThat(world.subsystem.connections()).isEmpty();
  }

  @Test
  void ioQueuesEndWithTheAdminQueue() {
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    TestQueue other = world.io(admin, 2);
    io.close();
    world.settle();
    assertThat(admin.ended).isFalse();
    assertThat(world.subsystem.connections().getFirst().ioQueues()).isEqualTo(1);
    admin.reset();
    other.awaitEnd();
    world.settle();
    assertThat(world.subsystem.connections()).isEmpty();
  }

  // Hosts and discovery.

  @Test
  void aHostWithoutANameComesInWhereEveryHostMay() {
    world.initialized().connectAdmin(TestWorld.NQN, "", 0);
    world.subsystem.allowAnyHost(false);
    expectConnect(0, 31, 0xffff, TestWorld.NQN, "", NvmeStatus.CONNECT_INVALID_HOST, FROM_DATA | 512);
  }

  @Test
  void onlyAllowedHostsComeIn() {
    world.subsystem.allowAnyHost(false);
    Reply refused = world.initialized().call(TestQueue.connect(0, 31, 0, false),
        TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST));
    assertThat(refused.status()).isEqualTo(NvmeStatus.CONNECT_INVALID_HOST | DNR);
    assertThat(refused.result()).isEqualTo(FROM_DATA | 512);
    world.subsystem.allowHost(TestWorld.HOST);
    world.subsystem.allowHost(TestWorld.HOST + "2");
    TestQueue admin = world.admin();
    TestQueue io = world.io(admin, 1);
    TestQueue other = world.initialized().connectAdmin(TestWorld.NQN, TestWorld.HOST + "2", 0);
    world.subsystem.denyHost(TestWorld.HOST);
    admin.awaitEnd();
    io.awaitEnd();
    world.settle();
    assertThat(other.ended).isFalse();
    assertThat(world.subsystem.connections()).singleElement()
        .satisfies(c -> assertThat(c.hostNqn()).isEqualTo(TestWorld.HOST + "2"));
    world.await(world.target.removeSubsystem(TestWorld.NQN));
    other.awaitEnd();
    assertThat(world.device.openChannels).isZero();
  }

  @Test
  void discoveryTellsWhatTheHostMaySee() {
    Subsystem second = world.target.addSubsystem(Subsystem.Config.of("nqn.2024-01.test:second"));
    second.allowHost(TestWorld.HOST);
    world.target.addSubsystem(Subsystem.Config.of("nqn.2024-01.test:third"));
    TestQueue host = discovery(TestWorld.HOST);
    byte[] id = data(host.call(identify(1, 0, 0), null));
    assertThat(id[111]).isEqualTo((byte) 2);
    assertThat(text(id, 768, Nqn.DISCOVERY.length())).isEqualTo(Nqn.DISCOVERY);
    ByteBuffer header = Pdus.view(data(host.call(log(0x70, 1024, 0, false), null)));
    assertThat(header.getLong(8)).isEqualTo(2);
    byte[] page = data(host.call(log(0x70, 3072, 0, false), null));
    assertThat(text(page, 1024 + 256, 22)).isEqualTo(TestWorld.NQN + "\0");
    assertThat(text(page, 2048 + 256, 23)).isEqualTo("nqn.2024-01.test:second");
    assertThat(Arrays.copyOfRange(page, 1024, 1028)).containsExactly(3, 1, 2, 0);
    assertThat(text(page, 1024 + 32, 32).strip()).isEqualTo("4420");
    assertThat(text(page, 1024 + 512, 256).strip()).isEqualTo(world.targetMachine.address().getHostAddress());
    assertThat(Pdus.view(page).getShort(1024 + 6)).isEqualTo((short) -1);
    TestQueue stranger = discovery("nqn.2024-01.test:stranger");
    assertThat(Pdus.view(data(stranger.call(log(0x70, 1024, 0, false), null))).getLong(8)).isEqualTo(1);
    int event = host.start(TestQueue.sqe(Opcode.ASYNC_EVENT_REQUEST, 0), null);
    world.settle();
    assertThat(host.answered(event)).isFalse();
    world.await(world.target.removeSubsystem("nqn.2024-01.test:second"));
    assertThat(host.answer(event).result()).isEqualTo(0x70_F0_02);
    ByteBuffer after = Pdus.view(data(host.call(log(0x70, 1024, 0, false), null)));
    assertThat(after.getLong(0)).isGreaterThan(header.getLong(0));
    assertThat(after.getLong(8)).isEqualTo(1);
    assertThat(host.call(identify(0, 1, 0), null).status()).isEqualTo(INVALID_FIELD);
    assertThat(host.call(log(2, 512, 0, false), null).status()).isEqualTo(NvmeStatus.INVALID_LOG_PAGE | DNR);
    assertThat(host.call(TestQueue.sqe(Opcode.ABORT, 0), null).status()).isEqualTo(NvmeStatus.INVALID_OPCODE | DNR);
    Reply io = world.initialized().call(TestQueue.connect(1, 31, 0, false),
        TestQueue.connectData(host.controllerId, Nqn.DISCOVERY, TestWorld.HOST));
    assertThat(io.status()).isEqualTo(NvmeStatus.CONNECT_INVALID_PARAMETERS | DNR);
  }

  private TestQueue discovery(String hostNqn) {
    TestQueue queue = world.initialized().connectAdmin(Nqn.DISCOVERY, hostNqn, 0);
    queue.enable();
    return queue;
  }
}
