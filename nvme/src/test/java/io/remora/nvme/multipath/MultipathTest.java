package io.remora.nvme.multipath;

import static io.remora.nvme.multipath.MultipathWorld.MILLI;
import static io.remora.nvme.multipath.MultipathWorld.SECOND;
import static io.remora.nvme.multipath.MultipathWorld.SIZE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest.Op;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.block.MemoryDevice;
import io.remora.nvme.AnaState;
import io.remora.nvme.host.HostOptions.Resend;
import io.remora.nvme.host.LateDevice;
import io.remora.nvme.tcp.HostTcp;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which path requests take, and what becomes of them when paths come and go. */
class MultipathTest {
  @Test
  void pathsTakeTurns() {
    MultipathWorld world = new MultipathWorld(1, 3, 1);
    world.open();
    world.read(world.channel(), 300);
    assertThat(world.nodes).allMatch(node -> node.ios() == 100);
    world.close();
  }

  @Test
  void optimizedPathsComeFirstAndInaccessibleOnesNever() {
    MultipathWorld world = new MultipathWorld(2, 2, 1);
    world.open();
    BlockChannel channel = world.channel();
    world.node(0).subsystem.ana(AnaState.NON_OPTIMIZED);
    world.sim.runFor(SECOND);
    assertThat(world.status(0).access()).isEqualTo(AnaState.NON_OPTIMIZED);
    world.read(channel, 50);
    assertThat(world.node(0).ios()).isZero();
    for (AnaState state : new AnaState[] {AnaState.INACCESSIBLE, AnaState.PERSISTENT_LOSS, AnaState.CHANGE}) {
      long before = world.node(1).ios();
      world.node(1).subsystem.ana(state);
      world.sim.runFor(SECOND);
      world.read(channel, 50);
      assertThat(world.node(1).ios()).as(state.toString()).isEqualTo(before);
    }
    world.node(1).subsystem.ana(AnaState.OPTIMIZED);
    world.sim.runFor(SECOND);
    long before = world.node(0).ios();
    world.read(channel, 50);
    assertThat(world.node(0).ios()).isEqualTo(before);
    world.close();
  }

  /** The request is under way when the state changes: it is refused there, and done elsewhere. */
  @Test
  void whatIsRefusedOnOnePathIsDoneOnAnother() {
    MultipathWorld world = new MultipathWorld(3, 2, 1);
    world.open();
    BlockChannel channel = world.channel();
    world.node(0).subsystem.ana(AnaState.INACCESSIBLE);
    List<MultipathWorld.Io> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      all.add(world.submit(channel, Op.WRITE, 512L * i, 512, i));
    }
    long begin = world.sim.nowNs();
    all.forEach(world::await);
    assertThat(all).allMatch(io -> io.request.status.isOk());
    assertThat(world.sim.nowNs() - begin).isLessThan(100 * MILLI);
    assertThat(world.node(1).ios()).isEqualTo(20);
    world.close();
  }

  @Test
  void localPathsComeFirst() {
    MultipathWorld world = new MultipathWorld(4, 3, 1);
    world.options = world.options.withPolicy(PathPolicy.LOCAL)
        .withLocal(address -> address.equals(world.node(2).address));
    world.open();
    BlockChannel channel = world.channel();
    world.read(channel, 30);
    assertThat(world.node(2).ios()).isEqualTo(30);
    // ANA counts more.
    world.node(2).subsystem.ana(AnaState.NON_OPTIMIZED);
    world.sim.runFor(SECOND);
    world.read(channel, 30);
    assertThat(world.node(0).ios()).isEqualTo(15);
    assertThat(world.node(1).ios()).isEqualTo(15);
    world.close();
  }

  @Test
  void theSlowPathHasTheShortQueue() {
    MultipathWorld world = new MultipathWorld(5, 2, 1);
    world.options = world.options.withPolicy(PathPolicy.QUEUE_DEPTH);
    world.node(0).device = new LateDevice(world.memory, 50 * MILLI, 50 * MILLI);
    world.node(1).device = new LateDevice(world.memory, MILLI, MILLI);
    world.open();
    BlockChannel channel = world.channel();
    List<MultipathWorld.Io> flying = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      world.sim.runUntil(() -> {
        flying.removeIf(io -> io.done);
        return flying.size() < 8;
      }, SECOND);
      flying.add(world.submit(channel, Op.READ, 0, 512, 0));
    }
    flying.forEach(world::await);
    assertThat(world.node(1).ios()).isGreaterThan(4 * world.node(0).ios());
    world.close();
  }

  @ParameterizedTest
  @CsvSource({"7, 512, 2097152, another namespace: uuid", "4, 4096, 2097152, 'its blocks have 4096 bytes, not 512'",
    "4, 512, 1048576, 'it has 1048576 bytes, not 2097152'"})
  void aPathToSomethingElseIsRefused(long uuid, int blockSize, long size, String text) {
    MultipathWorld world = new MultipathWorld(6, 2, 1);
    world.node(1).device = new MemoryDevice("other", new UUID(3, uuid), size, blockSize);
    world.nodes.forEach(MultipathWorld.Node::start);
    CompletableFuture<MultipathDevice> both = world.begin();
    world.sim.runUntil(both::isDone, 60 * SECOND);
    // Which of the two is the wrong one depends on who was first.
    assertThatThrownBy(both::join).cause().isInstanceOf(RemoraException.class)
        .hasMessageContaining("cannot be a path: ")
        .extracting(e -> ((RemoraException) e).status()).isEqualTo(Status.INVALID);
    world.sim.runFor(SECOND);
    assertThat(world.host.openSockets()).isZero();
    MultipathWorld.Node other = world.nodes.remove(1);
    MultipathDevice device = world.openNow();
    CompletableFuture<Void> added = device.addPath(other.address);
    world.sim.runUntil(added::isDone, 60 * SECOND);
    assertThatThrownBy(added::join).cause().hasMessageContaining(text);
    assertThat(world.status(1).state()).isEqualTo(PathState.REFUSED);
    BlockChannel channel = world.channel();
    world.read(channel, 20);
    assertThat(other.ios()).isZero();
    world.await(device.removePath(other.address));
    assertThat(device.paths()).hasSize(1);
    world.close();
  }

  @Test
  void nobodyThereIsSaid() {
    MultipathWorld world = new MultipathWorld(7, 2, 1);
    CompletableFuture<MultipathDevice> nobody = world.begin();
    world.sim.runUntil(nobody::isDone, 60 * SECOND);
    assertThatThrownBy(nobody::join).cause().isInstanceOf(RemoraException.class).hasMessageContaining(
        "cannot connect to " + MultipathWorld.NQN);
    world.sim.runFor(SECOND);
    assertThat(world.host.openSockets()).isZero();
  }

  /** One path is there from the beginning, the other comes later, and goes. */
  @Test
  void pathsComeAndGo() {
    MultipathWorld world = new MultipathWorld(8, 3, 2);
    world.node(0).start();
    MultipathDevice device = world.openNow();
    BlockChannel channel = world.channel();
    assertThat(device.paths()).extracting(PathStatus::state).containsExactly(PathState.LIVE, PathState.CONNECTING,
        PathState.CONNECTING);
    assertThat(world.status(1).text()).isNotEmpty();
    world.node(1).start();
    world.awaitState(1, PathState.LIVE);
    world.read(channel, 20);
    assertThat(world.node(1).ios()).isEqualTo(10);
    world.await(device.removePath(world.node(2).address));
    List<MultipathWorld.Io> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      all.add(world.submit(channel, Op.WRITE, 512L * i, 512, i));
    }
    CompletableFuture<Void> removed = device.removePath(world.node(0).address);
    all.forEach(world::await);
    assertThat(all).allMatch(io -> io.request.status.isOk());
    world.await(removed);
    assertThat(device.paths()).extracting(PathStatus::address).containsExactly(world.node(1).address);
    long before = world.node(0).ios();
    world.read(channel, 20);
    assertThat(world.node(0).ios()).isEqualTo(before);
    world.close();
  }

  /** A write is lost with its path. Sent again at once it could be overtaken by itself: it waits until the old controller must be dead. */
  @ParameterizedTest
  @CsvSource({"WHEN_OLD_IS_DEAD, 2", "AT_ONCE, 1"})
  void aLateWriteDoesNotBringOldDataBack(Resend resend, byte found) {
    MultipathWorld world = new MultipathWorld(9, 2, 1).host(options -> options.withResend(resend));
    world.node(0).device = new LateDevice(world.memory, 1900 * MILLI, 1900 * MILLI);
    world.node(0).start();
    world.node(1).start();
    world.openNow();
    BlockChannel channel = world.channel();
    world.node(1).subsystem.ana(AnaState.NON_OPTIMIZED);
    world.sim.runFor(SECOND);
    // The memory cannot be cut off from the node: what the node has it writes, up to 1.9 s later.
    world.sim.schedule(10 * MILLI, () -> world.node(0).partition());
    long begin = world.sim.nowNs();
    MultipathWorld.Io first = world.submit(channel, Op.WRITE, 0, 512, 1);
    world.sim.schedule(20 * MILLI, () -> world.node(0).reset());
    world.await(first);
    long waited = world.sim.nowNs() - begin;
    if (resend == Resend.AT_ONCE) {
      assertThat(waited).isLessThan(SECOND);
    } else {
      assertThat(waited).isBetween(4 * SECOND, 7 * SECOND);
    }
    assertThat(world.await(world.submit(channel, Op.WRITE, 0, 512, 2)).request.status).isEqualTo(Status.OK);
    world.sim.runFor(10 * SECOND);
    MultipathWorld.Io read = world.await(world.submit(channel, Op.READ, 0, 512, 0));
    assertThat(read.memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo(found);
    world.close();
  }

  /** However many paths somebody names, or a discovery service lists. */
  @Test
  void pathsHaveABound() {
    MultipathWorld world = new MultipathWorld(14, 1, 1);
    MultipathDevice device = world.open();
    for (int i = 1; i < MultipathDevice.MAX_PATHS; i++) {
      device.addPath(port(world, i));
    }
    InetSocketAddress tooMany = port(world, MultipathDevice.MAX_PATHS);
    CompletableFuture<Void> refused = device.addPath(tooMany);
    world.sim.runUntil(refused::isDone, SECOND);
    assertThatThrownBy(refused::join).cause()
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NO_RESOURCES))
        .hasMessageContaining("has 64 paths, the most that a device may have").hasMessageContaining("remove one");
    assertThat(device.paths()).hasSize(MultipathDevice.MAX_PATHS);
    world.await(device.removePath(port(world, 1)));
    device.addPath(tooMany);
    world.sim.runFor(MILLI);
    assertThat(device.paths()).extracting(PathStatus::address).hasSize(MultipathDevice.MAX_PATHS).contains(tooMany);
    world.read(world.channel(), 10);
    world.close();
  }

  @Test
  void tooManyPathsAreRefusedAtOnce() {
    MultipathWorld world = new MultipathWorld(15, 1, 1);
    world.node(0).start();
    List<InetSocketAddress> many = IntStream.rangeClosed(0, MultipathDevice.MAX_PATHS).mapToObj(i -> port(world, i))
        .toList();
    assertThatThrownBy(MultipathDevice.open(new HostTcp(), List.copyOf(world.loops), world.options, many)::join)
        .cause()
        .isInstanceOfSatisfying(RemoraException.class, e -> assertThat(e.status()).isEqualTo(Status.NO_RESOURCES))
        .hasMessageContaining("65 paths").hasMessageContaining("fewer addresses");
    world.sim.runFor(SECOND);
    assertThat(world.host.openSockets()).isZero();
  }

  private static InetSocketAddress port(MultipathWorld world, int index) {
    return new InetSocketAddress(world.node(0).address.getAddress(), 4420 + index);
  }

  /** The other path's controller knows that the lost one is dead: nothing waits for its keep-alive. */
  @Test
  void aWitnessMakesItQuick() {
    MultipathWorld world = new MultipathWorld(10, 2, 1);
    world.node(0).device = new LateDevice(world.memory, 100 * MILLI, 100 * MILLI);
    world.node(0).start();
    world.node(1).startAsPortOf(world.node(0));
    world.openNow();
    BlockChannel channel = world.channel();
    world.sim.runFor(SECOND);
    List<MultipathWorld.Io> all = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      all.add(world.submit(channel, Op.WRITE, 512L * i, 512, i));
    }
    world.sim.schedule(5 * MILLI, () -> {
      world.node(1).reset();
      world.node(1).partition();
    });
    long begin = world.sim.nowNs();
    all.forEach(world::await);
    assertThat(all).allMatch(io -> io.request.status.isOk());
    assertThat(world.sim.nowNs() - begin).isLessThan(SECOND);
    assertThat(world.status(1).state()).isEqualTo(PathState.CONNECTING);
    world.close();
  }

  @Test
  void requestsAreHeldForAsLongAsAskedFor() {
    MultipathWorld world = new MultipathWorld(11, 2, 1).times(times -> times.withHold(3 * SECOND));
    world.options = world.options.withMaxHeld(4);
    world.open();
    BlockChannel channel = world.channel();
    world.nodes.forEach(MultipathWorld.Node::partition);
    world.nodes.forEach(MultipathWorld.Node::reset);
    world.sim.runFor(SECOND);
    List<MultipathWorld.Io> held = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      held.add(world.submit(channel, Op.READ, 0, 512, 0));
    }
    assertThat(world.await(world.submit(channel, Op.READ, 0, 512, 0)).request.status).isEqualTo(Status.NO_RESOURCES);
    world.sim.runFor(1900 * MILLI);
    assertThat(held).noneMatch(io -> io.done);
    world.sim.runFor(200 * MILLI);
    assertThat(held).allMatch(io -> io.done && io.request.status == Status.DISCONNECTED);
    long begin = world.sim.nowNs();
    assertThat(world.await(world.submit(channel, Op.READ, 0, 512, 0)).request.status).isEqualTo(Status.DISCONNECTED);
    assertThat(world.sim.nowNs() - begin).isLessThan(MILLI);
    world.nodes.forEach(MultipathWorld.Node::heal);
    world.awaitState(0, PathState.LIVE);
    world.read(channel, 10);
    world.close();
  }

  /** No path is left and nothing is to be held; a write that was sent comes back when its fate is sealed. */
  @Test
  void requestsFailAtOnceWhenAskedTo() {
    MultipathWorld world = new MultipathWorld(12, 2, 1).times(times -> times.withHold(0));
    world.nodes.forEach(node -> node.device = new LateDevice(world.memory, 500 * MILLI, 500 * MILLI));
    world.open();
    BlockChannel channel = world.channel();
    MultipathWorld.Io read = world.submit(channel, Op.READ, 0, 512, 0);
    MultipathWorld.Io write = world.submit(channel, Op.WRITE, 512, 512, 1);
    world.sim.runFor(5 * MILLI);
    long begin = world.sim.nowNs();
    world.nodes.forEach(MultipathWorld.Node::partition);
    world.nodes.forEach(MultipathWorld.Node::reset);
    assertThat(world.await(read).request.status).isEqualTo(Status.DISCONNECTED);
    assertThat(world.sim.nowNs() - begin).isLessThan(100 * MILLI);
    assertThat(world.await(world.submit(channel, Op.WRITE, 0, 512, 1)).request.status).isEqualTo(Status.DISCONNECTED);
    assertThat(world.await(write).request.status).isEqualTo(Status.DISCONNECTED);
    assertThat(world.sim.nowNs() - begin).isBetween(4 * SECOND, 7 * SECOND);
    world.close();
  }

  @Test
  void aDeviceWithoutPathsIsGivenUp() {
    MultipathWorld world = new MultipathWorld(13, 2, 1).times(times -> times.withLoss(10 * SECOND));
    MultipathDevice device = world.open();
    BlockChannel channel = world.channel();
    List<Status> removed = new ArrayList<>();
    device.addListener(new BlockDevice.Listener() {
      @Override
      public void onResized(BlockDevice resized) {}

      @Override
      public void onRemoved(BlockDevice gone, Status reason) {
        removed.add(reason);
      }
    });
    world.nodes.forEach(MultipathWorld.Node::partition);
    world.nodes.forEach(MultipathWorld.Node::reset);
    MultipathWorld.Io io = world.await(world.submit(channel, Op.WRITE, 0, 512, 1));
    assertThat(io.request.status).isEqualTo(Status.DISCONNECTED);
    assertThat(world.sim.nowNs()).isBetween(10 * SECOND, 12 * SECOND);
    assertThat(removed).containsExactly(Status.DISCONNECTED);
    world.sim.runFor(20 * SECOND);
    assertThat(world.host.openSockets()).isZero();
    world.close();
  }

  @Test
  void aRemovedNamespaceIsGone() {
    MultipathWorld world = new MultipathWorld(14, 2, 1);
    world.open();
    BlockChannel channel = world.channel();
    world.node(0).subsystem.removeNamespace(1);
    world.read(channel, 20);
    assertThat(world.status(0).text()).contains("not there");
    world.node(1).subsystem.removeNamespace(1);
    assertThat(world.await(world.submit(channel, Op.READ, 0, 512, 0)).request.status).isEqualTo(Status.NOT_FOUND);
    world.close();
  }

  @Test
  void badRequestsAreAnsweredHere() {
    MultipathWorld world = new MultipathWorld(15, 2, 1);
    world.open();
    BlockChannel channel = world.channel();
    assertThat(world.await(world.submit(channel, Op.READ, 100, 512, 0)).request.status).isEqualTo(Status.INVALID);
    assertThat(world.await(world.submit(channel, Op.READ, SIZE, 512, 0)).request.status)
        .isEqualTo(Status.OUT_OF_RANGE);
    world.loops.getFirst().run(channel::close);
    assertThat(world.await(world.submit(channel, Op.READ, 0, 512, 0)).request.status).isEqualTo(Status.ABORTED);
    world.close();
  }
}
