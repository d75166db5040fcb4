package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.Buffer;
import io.remora.base.BufferPool;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.Simulation;
import io.remora.nvme.rdma.HostRdma;
import io.remora.nvme.rdma.HostRdmaOptions;
import io.remora.nvme.rdma.RegisteredBytes;
import io.remora.verbs.Provider;
import io.remora.verbs.sim.SimFabric;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The host's end of NVMe/RDMA, spoken to in verbs by a target that may do anything. */
class HostRdmaTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int IN_CAPSULE = 4096;

  /** One link, its commands, and what came of them. */
  private static final class World implements AutoCloseable, HostLink.Events {
    final Simulation sim = new Simulation(1);
    final SimFabric fabric = new SimFabric();
    final SimLoop targetLoop = sim.machine("target").start(1).getFirst();
    final SimLoop hostLoop = sim.machine("host").start(1).getFirst();
    final InetSocketAddress address = new InetSocketAddress(targetLoop.machine().address(), 4420);
    final RawRdmaTarget target = targetLoop.call(() -> new RawRdmaTarget(targetLoop, fabric.provider(), address));
    final RegisteredBytes bytes;
    final HostRdma transport;
    final BufferPool pool = hostLoop.call(() -> new BufferPool(hostLoop, 1 << 20, 8 << 20));
    final BufferPool.Owner owner = pool.owner("caller", 8 << 20);
    final List<Buffer> buffers = new ArrayList<>();
    final Map<Integer, HostCommand> inFlight = new HashMap<>();
    final List<Integer> answered = new ArrayList<>();
    final List<Integer> statuses = new ArrayList<>();
    long result;
    int sqhd;
    @Nullable
    HostLink link;
    boolean ready;
    @Nullable
    Status failed;
    String why = "";
    private int nextSlot;

    World() {
      this(true, HostRdmaOptions.of(RegisteredBytes.unlessSaidOtherwise()));
    }

    World(boolean windows, HostRdmaOptions options) {
      Provider provider = fabric.provider();
      bytes = options.bytes();
      transport = new HostRdma(windows ? provider : new WithoutWindows(provider), options);
      hostLoop.run(() -> transport.use(hostLoop, pool));
    }

    World connect() {
      return connect(1);
    }

    World connect(int queueId) {
      hostLoop.run(() -> link = transport.connect(hostLoop,
          new HostTransport.Link(address, queueId, 32, 40, queueId == 0 ? 0 : IN_CAPSULE, false, false), this));
      sim.runUntil(() -> ready || failed != null, 60 * SECOND);
      return this;
    }

    @Override
    public void onReady() {
      ready = true;
    }

    @Override
    public @Nullable HostCommand command(int cid) {
      return inFlight.get(cid);
    }

    @Override
    public void onResponse(HostCommand command, long r, int head, int status) {
      inFlight.remove(command.cid);
      answered.add(command.cid);
      statuses.add(status);
      result = r;
      sqhd = head;
    }

    @Override
    public void onFailed(Status reason, String text) {
      failed = reason;
      why = text;
    }

    MemorySegment pooled(int length) {
      Buffer buffer = Objects.requireNonNull(hostLoop.call(() -> pool.take(owner, length)));
      buffers.add(buffer);
      return buffer.segment().asSlice(0, length);
    }

    static MemorySegment elsewhere(int length) {
      return Arena.ofAuto().allocate(length, 8);
    }

    /** Sends a command with that data; gives its capsule as the target has it. */
    byte[] send(HostCommand.Direction way, MemorySegment... data) {
      HostCommand command = begin(way, data);
      hostLoop.run(() -> Objects.requireNonNull(link).send(command));
      sim.runUntil(() -> !target.capsules.isEmpty() || failed != null, 10 * SECOND);
      return target.capsules.remove();
    }

    HostCommand begin(HostCommand.Direction way, MemorySegment... data) {
      HostCommand command = new HostCommand(nextSlot++ % 40, MemorySegment.NULL);
      command.begin(way == HostCommand.Direction.IN ? 2 : 1, 1);
      io.remora.base.Sgl list = new io.remora.base.Sgl();
      for (MemorySegment segment : data) {
        list.add(segment, 0, segment.byteSize());
      }
      if (data.length > 0) {
        command.whole(way, list);
      }
      inFlight.put(command.cid, command);
      return command;
    }

    void settle() {
      sim.runFor(SECOND);
    }

    void closeLink() {
      hostLoop.run(() -> Objects.requireNonNull(link).close(true));
    }

    @Override
    public void close() {
      if (link != null) {
        closeLink();
      }
      sim.runFor(20 * SECOND);
      hostLoop.run(() -> {
        transport.forget(hostLoop, pool);
        buffers.forEach(Buffer::release);
        pool.close();
      });
      target.close();
      assertThat(bytes.usedBytes()).as("bytes that are still registered").isZero();
      assertThat(bytes.usedBytes(address.getAddress())).isZero();
    }
  }

  private static int cid(byte[] capsule) {
    return RawRdmaTarget.view(capsule).getShort(2) & 0xffff;
  }

  private static int type(byte[] capsule) {
    return capsule[39] & 0xff;
  }

  private static long address(byte[] capsule) {
    return RawRdmaTarget.view(capsule).getLong(24);
  }

  private static int length(byte[] capsule) {
    return RawRdmaTarget.view(capsule).getInt(32) & 0xffffff;
  }

  private static int key(byte[] capsule) {
    return RawRdmaTarget.view(capsule).getInt(35);
  }

  private static byte[] pattern(int length) {
    byte[] bytes = new byte[length];
    new java.util.SplittableRandom(length).nextBytes(bytes);
    return bytes;
  }

  private static void fill(MemorySegment memory) {
    MemorySegment.copy(pattern((int) memory.byteSize()), 0, memory, ValueLayout.JAVA_BYTE, 0, (int) memory.byteSize());
  }

  private static byte[] bytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }

  // Connecting.

  @Test
  void saysWhatQueueItWants() {
    try (World world = new World().connect(3)) {
      assertThat(world.ready).isTrue();
      byte[] said = new byte[32];
      RawRdmaTarget.view(said).putShort(2, (short) 3).putShort(4, (short) 32).putShort(6, (short) 31);
      assertThat(world.target.privateData).startsWith(said);
    }
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', textBlock = """
      1 | DENIED       | invalid length
      4 | DENIED       | invalid host send queue size
      6 | NO_RESOURCES | no resources
      9 | DENIED       | invalid controller
      77 | DENIED      | status 77
      """)
  void namesTheReasonOfARejection(int status, Status outcome, String text) {
    try (World world = new World()) {
      world.target.rejects = true;
      world.target.answer = new byte[] {0, 0, (byte) status, 0};
      world.connect();
      assertThat(world.failed).isEqualTo(outcome);
      assertThat(world.why).contains("rejects queue 1").contains(text);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 31, false", "0, 30, true", "1, 64, true"})
  void checksTheAcceptance(int format, int receives, boolean refused) {
    try (World world = new World()) {
      world.target.answer = RawRdmaTarget.acceptance(receives);
      world.target.answer[0] = (byte) format;
      world.connect();
      assertThat(world.failed != null).isEqualTo(refused);
    }
  }

  @Test
  void refusesAnAcceptanceWithoutPrivateData() {
    try (World world = new World()) {
      world.target.answer = new byte[0];
      world.connect();
      assertThat(world.failed).isEqualTo(Status.PROTOCOL_ERROR);
    }
  }

  @Test
  void saysThatNobodyIsThere() {
    try (World world = new World()) {
      world.hostLoop.run(() -> world.link = world.transport.connect(world.hostLoop,
          new HostTransport.Link(new InetSocketAddress(world.address.getAddress(), 4421), 1, 32, 40, 0, false, false),
          world));
      world.sim.runUntil(() -> world.failed != null, 60 * SECOND);
      assertThat(world.why).contains("no connection to");
    }
  }

  @Test
  void saysWhatMayNotBeRegistered() {
    try (World world = new World(true, HostRdmaOptions.of(new RegisteredBytes(1 << 20, 1 << 20)))) {
      world.connect();
      assertThat(world.failed).isEqualTo(Status.NO_RESOURCES);
      assertThat(world.why).contains("the limit is 1048576");
    }
  }

  @Test
  void saysWhatOnePeerMayNotHave() {
    try (World world = new World(true, HostRdmaOptions.of(new RegisteredBytes(1L << 30, 2000)))) {
      world.connect();
      assertThat(world.failed).isEqualTo(Status.NO_RESOURCES);
      assertThat(world.why).contains("the limit for a peer is 2000");
    }
  }

  // Data.

  @Test
  void commandsWithoutDataHaveAnEmptyKeyedSgl() {
    try (World world = new World().connect()) {
      byte[] capsule = world.send(HostCommand.Direction.NONE);
      assertThat(capsule).hasSize(64);
      assertThat(type(capsule)).isEqualTo(0x40);
      assertThat(address(capsule) | length(capsule) | key(capsule)).isZero();
      world.target.respond(cid(capsule), 0x4002, 0);
      world.settle();
      assertThat(world.answered).containsExactly(cid(capsule));
      assertThat(world.statuses).containsExactly(0x4002);
      assertThat(world.result).isEqualTo(0x1234);
      assertThat(world.sqhd).isEqualTo(5);
    }
  }

  @Test
  void memoryOfAPoolIsExportedInPlaceAndWithdrawnByTheTarget() {
    try (World world = new World().connect()) {
      MemorySegment data = world.pooled(8192);
      byte[] capsule = world.send(HostCommand.Direction.IN, data);
      assertThat(type(capsule)).isEqualTo(0x4f);
      assertThat(address(capsule)).as("no copy").isEqualTo(data.address());
      assertThat(length(capsule)).isEqualTo(8192);
      world.target.write(pattern(8192), address(capsule), key(capsule));
      world.target.respond(cid(capsule), 0, key(capsule));
      world.settle();
      assertThat(world.answered).containsExactly(cid(capsule));
      assertThat(bytes(data)).isEqualTo(pattern(8192));
    }
  }

  @Test
  void aPoolStaysKnownUntilItIsForgottenAsOftenAsItWasNamed() {
    try (World world = new World().connect()) {
      MemorySegment data = world.pooled(8192);
      long before = world.bytes.usedBytes();
      world.hostLoop.run(() -> world.transport.use(world.hostLoop, world.pool));
      assertThat(world.bytes.usedBytes()).as("registered once").isEqualTo(before);
      world.hostLoop.run(() -> world.transport.forget(world.hostLoop, world.pool));
      byte[] capsule = world.send(HostCommand.Direction.IN, data);
      assertThat(address(capsule)).as("no copy").isEqualTo(data.address());
      world.target.respond(cid(capsule), 0, key(capsule));
      world.settle();
      world.hostLoop.run(() -> world.transport.forget(world.hostLoop, world.pool));
      assertThat(world.bytes.usedBytes()).isLessThan(before);
      assertThat(address(world.send(HostCommand.Direction.IN, data))).as("a copy").isNotEqualTo(data.address());
      world.hostLoop.run(() -> world.transport.forget(world.hostLoop, world.pool));
    }
  }

  @Test
  void aPoolThatMayNotBeRegisteredIsNotKnown() {
    HostRdmaOptions tight = HostRdmaOptions.of(new RegisteredBytes(8 << 20, 8 << 20));
    try (World world = new World(true, tight).connect()) {
      BufferPool large = world.hostLoop.call(() -> new BufferPool(world.hostLoop, 16 << 20, 16 << 20));
      BufferPool.Owner owner = large.owner("caller", 16 << 20);
      Buffer buffer = Objects.requireNonNull(world.hostLoop.call(() -> large.take(owner, 4096)));
      long before = world.bytes.usedBytes();
      assertThatThrownBy(() -> world.hostLoop.run(() -> world.transport.use(world.hostLoop, large)))
          .hasMessageContaining("the limit is 8388608");
      assertThat(world.bytes.usedBytes()).isEqualTo(before);
      world.hostLoop.run(() -> {
        world.transport.forget(world.hostLoop, large);
        buffer.release();
        large.close();
      });
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aKeyIsOfNoUseAfterTheAnswer(boolean invalidates) {
    try (World world = new World().connect()) {
      MemorySegment data = world.pooled(8192);
      byte[] capsule = world.send(HostCommand.Direction.IN, data);
      world.target.respond(cid(capsule), 0, invalidates ? key(capsule) : 0);
      world.sim.runUntil(() -> !world.answered.isEmpty(), SECOND);
      world.target.write(pattern(8192), address(capsule), key(capsule));
      world.settle();
      assertThat(bytes(data)).containsOnly(0);
      assertThat(world.failed).as("the connection ends").isNotNull();
    }
  }

  @ParameterizedTest
  @CsvSource({"IN, true", "OUT, false"})
  void aKeyIsGoodForItsDirectionAlone(HostCommand.Direction way, boolean reads) {
    try (World world = new World().connect()) {
      MemorySegment data = world.pooled(8192);
      byte[] capsule = world.send(way, data);
      if (reads) {
        world.target.read(address(capsule), key(capsule), 512);
      } else {
        world.target.write(new byte[512], address(capsule), key(capsule));
      }
      world.settle();
      assertThat(world.failed).isNotNull();
      assertThat(world.target.done()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 1})
  void aKeyIsGoodForItsRangeAlone(int off) {
    try (World world = new World().connect()) {
      MemorySegment data = world.pooled(8192);
      byte[] capsule = world.send(HostCommand.Direction.OUT, data);
      world.target.read(address(capsule) + off, key(capsule), 8192);
      world.settle();
      assertThat(world.failed).isNotNull();
      assertThat(world.target.done()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void otherMemoryIsCopied(boolean windows, boolean pieces) {
    try (World world = new World(windows, HostRdmaOptions.of(RegisteredBytes.unlessSaidOtherwise())).connect()) {
      MemorySegment out = World.elsewhere(65536);
      fill(out);
      MemorySegment[] parts = pieces
          ? new MemorySegment[] {out.asSlice(0, 1000), out.asSlice(1000)}
          : new MemorySegment[] {out};
      byte[] capsule = world.send(HostCommand.Direction.OUT, parts);
      assertThat(type(capsule)).isEqualTo(windows ? 0x4f : 0x40);
      assertThat(address(capsule)).isNotEqualTo(out.address());
      world.target.read(address(capsule), key(capsule), 65536);
      world.settle();
      assertThat(world.target.read(65536)).isEqualTo(pattern(65536));
      world.target.respond(cid(capsule), 0, 0);
      world.settle();

      MemorySegment in = World.elsewhere(16384);
      byte[] second = world.send(HostCommand.Direction.IN, in);
      world.target.write(pattern(16384), address(second), key(second));
      world.target.respond(cid(second), 0, 0);
      world.settle();
      assertThat(bytes(in)).isEqualTo(pattern(16384));
      assertThat(world.answered).containsExactly(cid(capsule), cid(second));
    }
  }

  @Test
  void whatWasReadIsNotTakenFromACommandThatFailed() {
    try (World world = new World().connect()) {
      MemorySegment in = World.elsewhere(16384);
      byte[] capsule = world.send(HostCommand.Direction.IN, in);
      world.target.write(pattern(16384), address(capsule), key(capsule));
      world.target.respond(cid(capsule), 0x281, key(capsule));
      world.settle();
      assertThat(world.statuses).containsExactly(0x281);
      assertThat(bytes(in)).containsOnly(0);
    }
  }

  @ParameterizedTest
  @CsvSource({"true, 1", "true, 2", "true, 7", "false, 1", "false, 3"})
  void smallDataTravelsInTheCapsule(boolean pooled, int pieces) {
    try (World world = new World().connect()) {
      MemorySegment data = pooled ? world.pooled(4096) : World.elsewhere(4096);
      fill(data);
      MemorySegment[] parts = new MemorySegment[pieces];
      for (int i = 0; i < pieces; i++) {
        parts[i] = data.asSlice(i * 512L, i == pieces - 1 ? 4096 - i * 512L : 512);
      }
      byte[] capsule = world.send(HostCommand.Direction.OUT, parts);
      assertThat(type(capsule)).isEqualTo(0x01);
      assertThat(address(capsule)).isZero();
      assertThat(RawRdmaTarget.view(capsule).getInt(32)).isEqualTo(4096);
      assertThat(java.util.Arrays.copyOfRange(capsule, 64, capsule.length)).isEqualTo(pattern(4096));
      world.target.respond(cid(capsule), 0, 0);
      world.settle();
      assertThat(world.answered).containsExactly(cid(capsule));
    }
  }

  @Test
  void requestsWaitForMemoryForCopies() {
    try (
        World world = new World(true, new HostRdmaOptions(16 << 20, 4 << 20, 16, RegisteredBytes.unlessSaidOtherwise()))
            .connect()) {
      List<HostCommand> commands = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        commands.add(world.begin(HostCommand.Direction.OUT, World.elsewhere(1 << 20)));
      }
      world.hostLoop.run(() -> commands.forEach(Objects.requireNonNull(world.link)::send));
      world.settle();
      int first = world.target.capsules.size();
      assertThat(first).isBetween(8, 15);
      while (world.answered.size() < 24) {
        byte[] capsule = world.target.capsules.remove();
        world.target.respond(cid(capsule), 0, key(capsule));
        world.settle();
      }
      assertThat(world.failed).isNull();
    }
  }

  // Violations.

  @Test
  void anAnswerToNobodyEndsTheConnection() {
    try (World world = new World().connect()) {
      world.target.respond(77, 0, 0);
      world.settle();
      assertThat(world.failed).isEqualTo(Status.PROTOCOL_ERROR);
      assertThat(world.why).contains("command 77, which is not in flight");
    }
  }

  @Test
  void aSecondAnswerEndsTheConnection() {
    try (World world = new World().connect()) {
      byte[] capsule = world.send(HostCommand.Direction.NONE);
      world.target.respond(cid(capsule), 0, 0);
      world.target.respond(cid(capsule), 0, 0);
      world.settle();
      assertThat(world.answered).hasSize(1);
      assertThat(world.failed).isEqualTo(Status.PROTOCOL_ERROR);
    }
  }

  @Test
  void anAnswerThatWithdrawsAnothersKeyEndsTheConnection() {
    try (World world = new World().connect()) {
      byte[] one = world.send(HostCommand.Direction.IN, world.pooled(4096));
      byte[] other = world.send(HostCommand.Direction.IN, world.pooled(4096));
      world.target.respond(cid(one), 0, key(other));
      world.settle();
      assertThat(world.failed).isEqualTo(Status.PROTOCOL_ERROR);
      assertThat(world.why).contains("a key that is not its own");
      assertThat(world.answered).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 15, 17})
  void anAnswerOfAnotherLengthEndsTheConnection(int length) {
    try (World world = new World().connect()) {
      world.send(HostCommand.Direction.NONE);
      world.target.send(new byte[length], 0);
      world.settle();
      assertThat(world.failed).isNotNull();
      assertThat(world.answered).isEmpty();
    }
  }

  @Test
  void nothingIsTouchedAfterTheLinkIsClosed() {
    try (World world = new World().connect()) {
      MemorySegment data = world.pooled(8192);
      byte[] capsule = world.send(HostCommand.Direction.IN, data);
      world.closeLink();
      world.target.write(pattern(8192), address(capsule), key(capsule));
      world.target.respond(cid(capsule), 0, key(capsule));
      world.settle();
      assertThat(bytes(data)).containsOnly(0);
      assertThat(world.answered).isEmpty();
      assertThat(world.failed).isNull();
    }
  }

  @Test
  void theEndOfTheConnectionIsTold() {
    try (World world = new World().connect()) {
      world.target.disconnect();
      world.settle();
      assertThat(world.failed).isEqualTo(Status.DISCONNECTED);
      assertThat(world.why).contains("closed the connection");
    }
  }
}
