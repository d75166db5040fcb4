package io.remora.base.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.DatagramSocket;
import io.remora.base.RemoraException;
import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamListener;
import io.remora.base.StreamSocket;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SimNetTest {
  private static final long LIMIT_NS = 60_000_000_000L;
  private static final long SECOND_NS = 1_000_000_000L;
  private static final int PORT = 4420;

  /** Sends {@code size} counted bytes, and reads all it gets, checking the count. */
  private static final class Talker implements StreamSocket.Handler {
    private final MemorySegment memory = Arena.ofAuto().allocate(1 << 16);
    private long size;
    private @Nullable StreamSocket socket;
    private long sent;
    private long got;
    private boolean connected;
    private boolean ended;
    private boolean reads = true;
    private @Nullable Status closed;
    private final Set<Long> pieces = new TreeSet<>();

    Talker(long size) {
      this.size = size;
    }

    StreamSocket socket() {
      return Objects.requireNonNull(socket);
    }

    void send(long more) {
      size += more;
      onWritable();
    }

    boolean over() {
      return ended || closed != null;
    }

    @Override
    public void onConnected() {
      connected = true;
      onWritable();
    }

    @Override
    public void onWritable() {
      while (sent < size) {
        long length = Math.min(size - sent, memory.byteSize());
        for (long i = 0; i < length; i++) {
          memory.set(ValueLayout.JAVA_BYTE, i, value(sent + i));
        }
        Sgl list = new Sgl();
        list.add(memory, 0, length);
        long taken = socket().write(list);
        if (taken <= 0) {
          return;
        }
        pieces.add(taken);
        sent += taken;
        if (taken < length) {
          return;
        }
      }
    }

    @Override
    public void onReadable() {
      while (reads) {
        long length = socket().read(memory, 0, memory.byteSize());
        if (length == StreamSocket.CLOSED) {
          ended = true;
          return;
        }
        if (length == 0) {
          return;
        }
        for (long i = 0; i < length; i++) {
          if (memory.get(ValueLayout.JAVA_BYTE, i) != value(got + i)) {
            throw new AssertionError("byte " + (got + i) + " is wrong");
          }
        }
        got += length;
      }
    }

    @Override
    public void onClosed(Status reason) {
      closed = reason;
    }

    private static byte value(long position) {
      return (byte) (position * 31 + (position >> 8));
    }
  }

  /** Two machines, one calling the other. */
  private static final class World {
    final Simulation simulation;
    final SimMachine caller;
    final SimMachine called;
    final List<Talker> accepted = new ArrayList<>();
    final StreamListener listener;

    World(long seed, long answerBytes) {
      simulation = new Simulation(seed);
      caller = simulation.machine("caller");
      called = simulation.machine("called");
      caller.start(1);
      SimLoop loop = called.start(1).getFirst();
      listener = loop.call(() -> loop.net().listen(new InetSocketAddress(called.address(), PORT), connection -> {
        Talker talker = new Talker(answerBytes);
        accepted.add(talker);
        talker.socket = connection.attach(loop, talker);
        talker.onWritable();
      }));
    }

    Talker connect(long size) {
      return connect(size, new InetSocketAddress(called.address(), PORT));
    }

    Talker connect(long size, InetSocketAddress address) {
      Talker talker = new Talker(size);
      SimLoop loop = caller.loop(0);
      loop.run(() -> talker.socket = loop.net().connect(address, talker));
      return talker;
    }

    Talker connected(long size) {
      Talker talker = connect(size);
      simulation.runUntil(() -> talker.connected && accepted.size() == 1, LIMIT_NS);
      return talker;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void bytesArriveInOrderBothWays(long seed) {
    World world = new World(seed, 300_000);
    Talker talker = world.connect(500_000);
    world.simulation.runUntil(() -> talker.got == 300_000 && !world.accepted.isEmpty()
        && world.accepted.getFirst().got == 500_000, LIMIT_NS);
    assertThat(talker.pieces).as("writes are cut").hasSizeGreaterThan(3);
    world.caller.loop(0).run(talker.socket()::close);
    world.simulation.runUntil(() -> world.accepted.getFirst().ended, LIMIT_NS);
    assertThat(world.accepted.getFirst().socket().closeReason()).isEqualTo(Status.OK);
    world.called.loop(0).run(world.accepted.getFirst().socket()::close);
    world.called.loop(0).run(world.listener::close);
    assertThat(world.caller.openSockets() + world.called.openSockets()).isZero();
  }

  @Test
  void bandwidthBoundsAStream() {
    World world = new World(1, 0);
    world.simulation.net().bandwidth(1_000_000);
    Talker talker = world.connected(0);
    long startNs = world.simulation.nowNs();
    world.caller.loop(0).run(() -> talker.send(500_000));
    world.simulation.runUntil(() -> world.accepted.getFirst().got == 500_000, LIMIT_NS);
    assertThat(world.simulation.nowNs() - startNs).isBetween(SECOND_NS / 2, 2 * SECOND_NS);
  }

  @Test
  void halfClosedStreamsStillAnswer() {
    World world = new World(1, 0);
    Talker talker = world.connected(1000);
    world.caller.loop(0).run(talker.socket()::shutdownOutput);
    Talker answer = world.accepted.getFirst();
    world.simulation.runUntil(() -> answer.ended, LIMIT_NS);
    assertThat(answer.got).isEqualTo(1000);
    world.called.loop(0).run(() -> answer.send(50));
    world.simulation.runUntil(() -> talker.got == 50, LIMIT_NS);
    assertThat(talker.ended).isFalse();
  }

  @Test
  void nobodyListensIsRefused() {
    World world = new World(1, 0);
    Talker talker = world.connect(1, new InetSocketAddress(world.called.address(), 1));
    assertThat(talker.closed).isNull();
    world.simulation.runUntil(() -> talker.closed != null, SECOND_NS);
    assertThat(talker.closed).isEqualTo(Status.DISCONNECTED);
    assertThat(talker.connected).isFalse();
    Talker stranger = world.connect(1, new InetSocketAddress(InetAddress.ofLiteral("192.0.2.1"), PORT));
    world.simulation.runUntil(() -> stranger.closed != null, SECOND_NS);
  }

  @Test
  void machineWithoutPowerDoesNotAnswer() {
    World world = new World(1, 0);
    world.called.powerLoss();
    Talker talker = world.connect(1);
    world.simulation.runFor(100 * SECOND_NS);
    assertThat(talker.closed).isNull();
    world.simulation.runUntil(() -> talker.closed != null, 100 * SECOND_NS);
    assertThat(talker.closed).isEqualTo(Status.TIMED_OUT);
  }

  @Test
  void resetReachesThePeer() {
    World world = new World(1, 0);
    Talker talker = world.connected(10);
    world.caller.loop(0).run(talker.socket()::reset);
    Talker answer = world.accepted.getFirst();
    world.simulation.runUntil(answer::over, LIMIT_NS);
    assertThat(answer.socket().closeReason()).isEqualTo(Status.DISCONNECTED);
    world.simulation.runFor(SECOND_NS);
    assertThat(talker.closed).as("own reset is not reported").isNull();
  }

  @Test
  void closingWithUnreadDataResets() {
    World world = new World(1, 0);
    Talker talker = world.connected(0);
    Talker answer = world.accepted.getFirst();
    answer.reads = false;
    world.caller.loop(0).run(() -> talker.send(100));
    world.simulation.runFor(SECOND_NS);
    world.called.loop(0).run(answer.socket()::close);
    world.simulation.runUntil(talker::over, LIMIT_NS);
    assertThat(talker.socket().closeReason()).isEqualTo(Status.DISCONNECTED);
  }

  @Test
  void partitionIsSilentAndHeals() {
    World world = new World(1, 100_000);
    Talker talker = world.connected(100_000);
    Talker answer = world.accepted.getFirst();
    world.simulation.net().partition(world.caller, world.called);
    world.simulation.runFor(100 * SECOND_NS);
    assertThat(answer.got).isLessThan(100_000);
    assertThat(talker.over() || answer.over()).isFalse();
    world.simulation.net().heal();
    world.simulation.runUntil(() -> answer.got == 100_000 && talker.got == 100_000, LIMIT_NS);
  }

  @Test
  void killIsHeardAndPowerLossIsNot() {
    World killed = new World(1, 0);
    Talker talker = killed.connected(10);
    killed.called.kill();
    killed.simulation.runUntil(talker::over, SECOND_NS);

    World dark = new World(1, 0);
    Talker waiting = dark.connected(10);
    dark.called.powerLoss();
    dark.simulation.runFor(1000 * SECOND_NS);
    assertThat(waiting.over()).isFalse();
    dark.caller.loop(0).run(() -> waiting.send(10));
    dark.simulation.runFor(1000 * SECOND_NS);
    assertThat(waiting.over()).isFalse();
    dark.called.start(1);
    dark.simulation.runUntil(waiting::over, LIMIT_NS);
    assertThat(waiting.socket().closeReason()).isEqualTo(Status.DISCONNECTED);
  }

  @Test
  void peerThatStopsReadingStopsTheWriter() {
    World world = new World(1, 0);
    Talker talker = world.connected(10_000_000);
    world.called.pause();
    world.simulation.runFor(SECOND_NS);
    long stuck = talker.sent;
    assertThat(stuck).isLessThan(1 << 20);
    world.simulation.runFor(100 * SECOND_NS);
    assertThat(talker.sent).isEqualTo(stuck);
    assertThat(talker.closed).isNull();
    world.called.resume();
    world.simulation.runUntil(() -> talker.sent > stuck + 100_000, LIMIT_NS);
  }

  @Test
  void conversationCanBeCutAtEveryByte() {
    Set<Long> received = new HashSet<>();
    for (int cut = 0; cut < 60; cut++) {
      World world = new World(cut, 20);
      world.simulation.net().breakNextConnection(world.caller, world.called, cut);
      Talker talker = world.connect(40);
      int at = cut;
      world.simulation.runUntil(
          () -> talker.over() && !world.accepted.isEmpty() && world.accepted.getFirst().over(), LIMIT_NS);
      Talker answer = world.accepted.getFirst();
      assertThat(talker.got + answer.got).as("cut at %d", at).isLessThanOrEqualTo(at);
      assertThat(talker.socket().closeReason()).isEqualTo(Status.DISCONNECTED);
      received.add(answer.got);
    }
    assertThat(received).hasSizeGreaterThan(15);
  }

  @Test
  void resetOfAllConnectionsBetweenTwoMachines() {
    World world = new World(1, 0);
    Talker one = world.connect(10);
    Talker other = world.connect(10);
    world.simulation.runUntil(() -> one.connected && other.connected, LIMIT_NS);
    world.simulation.net().reset(world.called, world.caller);
    world.simulation.runUntil(() -> one.socket().closeReason() == Status.DISCONNECTED
        && other.socket().closeReason() == Status.DISCONNECTED, LIMIT_NS);
  }

  @Test
  void loopbackReachesTheMachineItself() {
    World world = new World(1, 0);
    SimLoop loop = world.called.loop(0);
    Talker talker = new Talker(10);
    InetSocketAddress loopback = new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT);
    List<Talker> accepted = new ArrayList<>();
    loop.run(() -> {
      loop.net().listen(loopback, connection -> {
        Talker answer = new Talker(0);
        answer.socket = connection.attach(loop, answer);
        accepted.add(answer);
      });
      talker.socket = loop.net().connect(loopback, talker);
    });
    world.simulation.runUntil(() -> accepted.size() == 1 && accepted.getFirst().got == 10, LIMIT_NS);
    assertThat(talker.socket().localAddress().getAddress().isLoopbackAddress()).isTrue();
    assertThat(talker.socket().localAddress()).isEqualTo(accepted.getFirst().socket().remoteAddress());
  }

  @Test
  void connectionCanBeAttachedToAnotherLoopLater() {
    Simulation simulation = new Simulation(3);
    SimMachine machine = simulation.machine("a");
    List<SimLoop> loops = machine.start(2);
    List<StreamListener.Accepted> waiting = new ArrayList<>();
    InetSocketAddress address = new InetSocketAddress(machine.address(), PORT);
    loops.get(0).run(() -> loops.get(0).net().listen(address, waiting::add));
    Talker talker = new Talker(100);
    loops.get(0).run(() -> talker.socket = loops.get(0).net().connect(address, talker));
    simulation.runUntil(() -> talker.sent == 100, LIMIT_NS);
    simulation.runFor(SECOND_NS);
    Talker answer = new Talker(0);
    loops.get(1).run(() -> answer.socket = waiting.getFirst().attach(loops.get(1), answer));
    simulation.runUntil(() -> answer.got == 100, LIMIT_NS);
  }

  @Test
  void addressesAreChecked() {
    World world = new World(1, 0);
    SimLoop loop = world.called.loop(0);
    loop.run(() -> {
      assertStatus(Status.EXISTS,
          () -> loop.net().listen(new InetSocketAddress(world.called.address(), PORT), StreamListener.Accepted::close));
      assertStatus(Status.INVALID,
          () -> loop.net().listen(new InetSocketAddress(world.caller.address(), PORT), StreamListener.Accepted::close));
      StreamListener any = loop.net().listen(new InetSocketAddress("0.0.0.0", 0), StreamListener.Accepted::close);
      assertThat(any.localAddress().getPort()).isPositive();
    });
  }

  @Test
  void datagramsAreLostDoubledAndOvertaken() {
    Simulation simulation = new Simulation(5);
    SimMachine one = simulation.machine("one");
    SimMachine other = simulation.machine("other");
    simulation.net().datagrams(0.2, 0.2);
    List<Integer> got = new ArrayList<>();
    SimLoop receiver = other.start(1).getFirst();
    InetSocketAddress address = new InetSocketAddress(other.address(), 7);
    Receiver handler = new Receiver(got);
    receiver.run(() -> handler.socket = receiver.net().bind(address, handler));
    SimLoop sender = one.start(1).getFirst();
    Receiver unused = new Receiver(new ArrayList<>());
    sender.run(() -> unused.socket = sender.net().bind(new InetSocketAddress(one.address(), 0), unused));
    DatagramSocket.Peer peer = new DatagramSocket.Peer();
    System.arraycopy(other.address().getAddress(), 0, peer.address, 0, 4);
    peer.addressBytes = 4;
    peer.port = 7;
    MemorySegment memory = Arena.ofAuto().allocate(4);
    Sgl list = new Sgl();
    list.add(memory, 0, 4);
    int blocked = 0;
    for (int i = 0; i < 200;) {
      memory.set(ValueLayout.JAVA_INT, 0, i);
      int taken = sender.call(() -> Objects.requireNonNull(unused.socket).send(list, peer));
      if (taken == DatagramSocket.WOULD_BLOCK) {
        int writable = unused.writable;
        simulation.runUntil(() -> unused.writable > writable, LIMIT_NS);
        blocked++;
      } else {
        i++;
      }
    }
    simulation.runFor(SECOND_NS);
    assertThat(blocked).isPositive();
    assertThat(new HashSet<>(got)).as("lost").hasSizeBetween(100, 199);
    assertThat(got.size()).as("doubled").isGreaterThan(new HashSet<>(got).size());
    assertThat(got).as("overtaken").isNotEqualTo(got.stream().sorted().toList());
    assertThat(handler.lastPort).isEqualTo(Objects.requireNonNull(unused.socket).localAddress().getPort());
  }

  private static final class Receiver implements DatagramSocket.Handler {
    private final MemorySegment memory = Arena.ofAuto().allocate(64);
    private final List<Integer> got;
    private @Nullable DatagramSocket socket;
    private int writable;
    private int lastPort;

    Receiver(List<Integer> got) {
      this.got = got;
    }

    @Override
    public void onReadable() {
      DatagramSocket.Peer from = new DatagramSocket.Peer();
      while (Objects.requireNonNull(socket).receive(memory, 0, 64, from) != DatagramSocket.WOULD_BLOCK) {
        got.add(memory.get(ValueLayout.JAVA_INT, 0));
        lastPort = from.port;
      }
    }

    @Override
    public void onWritable() {
      writable++;
    }
  }

  private static void assertStatus(Status status, ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOfSatisfying(RemoraException.class,
        e -> assertThat(e.status()).isEqualTo(status));
  }
}
