package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.remora.base.IoRequest;
import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.block.BlockDevice;
import io.remora.nvme.host.HostOptions.Resend;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.Test;

/** What becomes of I/O when commands are slow, connections end, and controllers go away. */
class HostRecoveryTest {
  private static final long SECOND = HostWorld.SECOND;

  /** A script that deals with commands of I/O queues by {@code deed}. */
  private static Script onIo(BiPredicate<ScriptedConnection, Sqe> deed) {
    return new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        return connection.queueId > 0 && sqe.opcode() != 0x7f && deed.test(connection, sqe);
      }
    };
  }

  /** A script that deals with commands of the admin queue by {@code deed}. */
  private static Script onAdmin(BiPredicate<ScriptedConnection, Sqe> deed) {
    return new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        return connection.queueId == 0 && deed.test(connection, sqe);
      }
    };
  }

  @Test
  void aSlowCommandIsAborted() {
    HostWorld world = new HostWorld(1).times(times -> times.withIo(SECOND));
    world.connect();
    BlockChannel channel = world.channel();
    List<Sqe> kept = new ArrayList<>();
    world.target.script = new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        if (connection.queueId > 0 && kept.isEmpty()) {
          return kept.add(sqe);
        }
        if (connection.queueId == 0 && sqe.opcode() == 0x08) {
          assertThat(sqe.dword(10) & 0xffff).isEqualTo(1);
          assertThat(sqe.dword(10) >>> 16).isEqualTo(kept.getFirst().cid());
          world.target.ioConnections().getFirst().answer(kept.getFirst(), 0, 0x007);
          connection.answer(sqe, 0, 0);
          return true;
        }
        return false;
      }
    };
    HostWorld.Io io = world.await(world.read(channel, 0, 512));
    assertThat(io.status()).isEqualTo(Status.TIMED_OUT);
    assertThat(world.controller().status().aborts()).isEqualTo(1);
    assertThat(world.controller().status().losses()).isZero();
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.OK);
    world.close();
  }

  @Test
  void aControllerThatDoesNotAnswerAtAllIsReset() {
    HostWorld world = new HostWorld(2).times(times -> times.withIo(SECOND));
    world.connect();
    BlockChannel channel = world.channel();
    world.target.script = onIo((connection, sqe) -> connection.cntlid == 1);
    byte[] data = world.pattern(4096);
    HostWorld.Io write = world.write(channel, 0, data);
    HostWorld.Io read = world.read(channel, 1 << 20, 512);
    world.await(write);
    world.await(read);
    assertThat(write.status()).isEqualTo(Status.OK);
    assertThat(read.status()).isEqualTo(Status.OK);
    assertThat(world.target.count("admin 8")).isGreaterThanOrEqualTo(2);
    assertThat(world.controller().status().resets()).isEqualTo(1);
    assertThat(world.controller().status().state()).isEqualTo(HostState.LIVE);
    // Enable, and then the reset: EN=0 on the old association; enable on the new one.
    assertThat(world.target.count("fabrics 0")).isEqualTo(3);
    assertThat(world.sim.nowNs()).isLessThan(4 * SECOND);
    world.close();
  }

  @Test
  void aLostConnectionIsMadeAnew() {
    HostWorld world = new HostWorld(3);
    world.connect();
    BlockChannel channel = world.channel();
    for (int i = 0; i < 5; i++) {
      byte[] data = world.pattern(4096);
      HostWorld.Io io = world.write(channel, 4096L * i, data);
      world.sim.net().reset(world.hostMachine, world.targetMachine);
      assertThat(world.await(io).status()).isEqualTo(Status.OK);
      assertThat(world.await(world.read(channel, 4096L * i, 4096)).bytes()).isEqualTo(data);
    }
    assertThat(world.controller().status().losses()).isEqualTo(5);
    world.close();
  }

  @Test
  void aControllerThatMissesKeepAlivesIsLeft() {
    HostWorld world = new HostWorld(4).times(times -> times.withKeepAlive(2 * SECOND));
    world.connect();
    world.sim.runFor(10 * SECOND);
    assertThat(world.target.count("admin 18")).isBetween(9, 11);
    assertThat(world.controller().status().losses()).isZero();
    world.target.script = onAdmin((connection, sqe) -> connection.cntlid == 1 && sqe.opcode() == 0x18);
    world.sim.runUntil(() -> world.controller().status().losses() == 1, 5 * SECOND);
    assertThat(world.controller().status().reason()).isEqualTo(Status.TIMED_OUT);
    assertThat(world.controller().status().text()).contains("keep-alive");
    world.awaitState(HostState.LIVE);
    world.close();
  }

  @Test
  void aPartitionIsSurvived() {
    HostWorld world = new HostWorld(5).times(times -> times.withKeepAlive(2 * SECOND).withConnect(SECOND));
    world.connect();
    BlockChannel channel = world.channel();
    byte[] data = world.pattern(64 << 10);
    HostWorld.Io io = world.write(channel, 0, data);
    world.sim.net().partition(world.hostMachine, world.targetMachine);
    world.awaitState(HostState.RECONNECTING);
    world.sim.runFor(20 * SECOND);
    assertThat(io.done).isFalse();
    assertThat(world.controller().status().attempts()).isBetween(4, 30);
    world.sim.net().heal();
    assertThat(world.await(io).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.read(channel, 0, 64 << 10)).bytes()).isEqualTo(data);
    world.close();
  }

  @Test
  void aStalledTargetIsSurvived() {
    HostWorld world = new HostWorld(6).times(times -> times.withKeepAlive(2 * SECOND));
    world.connect();
    BlockChannel channel = world.channel();
    byte[] data = world.pattern(64 << 10);
    HostWorld.Io io = world.write(channel, 0, data);
    world.targetMachine.pause();
    world.sim.runFor(20 * SECOND);
    assertThat(io.done).isFalse();
    world.targetMachine.resume();
    assertThat(world.await(io).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.read(channel, 0, 64 << 10)).bytes()).isEqualTo(data);
    world.close();
  }

  @Test
  void ioIsHeldForAsLongAsAskedFor() {
    HostWorld world = new HostWorld(7).times(times -> times.withHold(3 * SECOND).withConnect(SECOND));
    world.connect();
    BlockChannel channel = world.channel();
    world.sim.net().partition(world.hostMachine, world.targetMachine);
    world.sim.net().reset(world.hostMachine, world.targetMachine);
    world.sim.runFor(SECOND);
    HostWorld.Io io = world.read(channel, 0, 512);
    world.sim.runFor(SECOND);
    assertThat(io.done).isFalse();
    world.sim.runFor(2 * SECOND);
    assertThat(io.done).isTrue();
    assertThat(io.status()).isEqualTo(Status.DISCONNECTED);
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.DISCONNECTED);
    world.sim.net().heal();
    world.awaitState(HostState.LIVE);
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.OK);
    world.close();
  }

  @Test
  void aControllerThatStaysAwayIsGivenUp() {
    HostWorld world = new HostWorld(8).times(times -> times.withLoss(10 * SECOND).withConnect(SECOND));
    HostController controller = world.connect();
    BlockChannel channel = world.channel();
    List<Status> removed = new ArrayList<>();
    controller.namespaces().getFirst().addListener(new BlockDevice.Listener() {
      @Override
      public void onResized(BlockDevice device) {}

      @Override
      public void onRemoved(BlockDevice device, Status reason) {
        removed.add(reason);
      }
    });
    HostWorld.Io io = world.write(channel, 0, world.pattern(512));
    world.sim.net().partition(world.hostMachine, world.targetMachine);
    world.sim.net().reset(world.hostMachine, world.targetMachine);
    world.await(io);
    assertThat(io.status()).isEqualTo(Status.DISCONNECTED);
    assertThat(world.sim.nowNs()).isBetween(10 * SECOND, 11 * SECOND);
    world.awaitState(HostState.FAILED);
    world.sim.runFor(MILLI);
    assertThat(removed).containsExactly(Status.DISCONNECTED);
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.NOT_FOUND);
    world.sim.runFor(60 * SECOND);
    assertThat(world.hostMachine.openSockets()).isZero();
    world.close();
  }

  @Test
  void theFirstConnectionSaysWhyItFailed() {
    HostWorld world = new HostWorld(9);
    world.target.connectStatus = 0x4184;
    CompletableFuture<HostController> refused = world.begin();
    world.sim.runUntil(refused::isDone, 10 * SECOND);
    assertThatThrownBy(refused::join).cause().isInstanceOf(RemoraException.class)
        .hasMessageContaining("this host is not allowed").hasMessageContaining(ScriptedTarget.NQN)
        .extracting(e -> ((RemoraException) e).status()).isEqualTo(Status.DENIED);
    world.target.connectStatus = 0;
    world.target.script = onAdmin((connection, sqe) -> true);
    CompletableFuture<HostController> silent = world.begin();
    world.sim.runUntil(silent::isDone, 30 * SECOND);
    assertThatThrownBy(silent::join).cause().hasMessageContaining("Property Get 00h was not answered within 10000 ms");
    world.sim.runFor(SECOND);
    assertThat(world.hostMachine.openSockets()).isZero();
    world.targetLoop.run(world.target::close);
    CompletableFuture<HostController> nobody = world.begin();
    world.sim.runUntil(nobody::isDone, 30 * SECOND);
    assertThatThrownBy(nobody::join).cause().isInstanceOf(RemoraException.class);
    world.sim.runFor(SECOND);
    assertThat(world.hostMachine.openSockets()).isZero();
  }

  /** The old connection's write comes late, after a newer one: the newer data must stay. */
  @Test
  void aLateWriteDoesNotBringOldDataBack() {
    assertThat(lateWrite(Resend.WHEN_OLD_IS_DEAD, true)).isEqualTo((byte) 2);
    assertThat(lateWrite(Resend.WHEN_OLD_IS_DEAD, false)).isEqualTo((byte) 2);
    // What Linux does: here it goes wrong, which shows that the test can fail.
    assertThat(lateWrite(Resend.AT_ONCE, false)).isEqualTo((byte) 1);
  }

  /**
   * Write 1 is sent; the connection is lost; the target still has it. The host reconnects, writes 1 again and then 2. Whenever
   * its old controller ends, at the latest after twice the keep-alive time-out, the target carries the old write out.
   */
  private static byte lateWrite(Resend resend, boolean lists) {
    HostWorld world = new HostWorld(10).with(options -> options.withResend(resend))
        .times(times -> times.withKeepAlive(2 * SECOND));
    world.target.listsControllers = lists;
    world.connect();
    BlockChannel channel = world.channel();
    List<Runnable> late = new ArrayList<>();
    world.target.script = new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        if (connection.queueId > 0 && sqe.opcode() == 0x01 && late.isEmpty()) {
          return late.add(() -> world.target.execute(sqe, data));
        }
        return false;
      }
    };
    byte[] one = new byte[512];
    byte[] two = new byte[512];
    java.util.Arrays.fill(one, (byte) 1);
    java.util.Arrays.fill(two, (byte) 2);
    HostWorld.Io first = world.write(channel, 0, one);
    world.sim.runUntil(() -> !late.isEmpty(), SECOND);
    long lostAt = world.sim.nowNs();
    world.sim.net().reset(world.hostMachine, world.targetMachine);
    // The connection is gone, but the target goes on with the controller: it is listed until its keep-alive runs out.
    world.sim.schedule(MILLI, () -> world.target.controllers.put(1, true));
    world.sim.schedule(3500 * MILLI, () -> {
      late.getFirst().run();
      world.target.controllers.remove(1);
    });
    world.sim.runUntil(() -> world.controller().status().losses() == 1, SECOND);
    world.awaitState(HostState.LIVE);
    // Commands that change nothing, and new ones, do not wait.
    assertThat(world.await(world.read(channel, 1 << 20, 512)).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.write(channel, 1 << 20, one)).status()).isEqualTo(Status.OK);
    assertThat(world.sim.nowNs() - lostAt).isLessThan(SECOND);
    world.await(first);
    long waited = world.sim.nowNs() - lostAt;
    switch (resend) {
      case AT_ONCE -> assertThat(waited).isLessThan(SECOND);
      case WHEN_OLD_IS_DEAD -> assertThat(waited).isBetween(lists ? 3500 * MILLI : 4 * SECOND, 4500 * MILLI);
    }
    assertThat(world.await(world.write(channel, 0, two)).status()).isEqualTo(Status.OK);
    world.sim.runFor(10 * SECOND);
    byte found = world.await(world.read(channel, 0, 512)).bytes()[0];
    world.close();
    return found;
  }

  private static final long MILLI = HostWorld.MILLI;

  /** As above, but the caller was told that the first write failed before the connection came back. */
  @Test
  void aFailedWriteThatComesLateDoesNotBringOldDataBack() {
    HostWorld world = new HostWorld(11).times(times -> times.withKeepAlive(2 * SECOND).withHold(0));
    world.target.listsControllers = false;
    world.connect();
    BlockChannel channel = world.channel();
    List<Runnable> late = new ArrayList<>();
    world.target.script = new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        if (connection.queueId > 0 && sqe.opcode() == 0x01 && late.isEmpty()) {
          return late.add(() -> world.target.execute(sqe, data));
        }
        return false;
      }
    };
    HostWorld.Io first = world.write(channel, 0, world.pattern(512));
    world.sim.runUntil(() -> !late.isEmpty(), SECOND);
    world.sim.net().reset(world.hostMachine, world.targetMachine);
    world.sim.schedule(3500 * MILLI, () -> late.getFirst().run());
    assertThat(world.await(first).status()).isEqualTo(Status.DISCONNECTED);
    world.awaitState(HostState.LIVE);
    byte[] newer = world.pattern(512);
    long begin = world.sim.nowNs();
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.OK);
    assertThat(world.sim.nowNs() - begin).isLessThan(SECOND);
    assertThat(world.await(world.write(channel, 0, newer)).status()).isEqualTo(Status.OK);
    world.sim.runFor(10 * SECOND);
    assertThat(world.await(world.read(channel, 0, 512)).bytes()).isEqualTo(newer);
    world.close();
  }

  @Test
  void aResizeIsHeardOf() {
    HostWorld world = new HostWorld(12);
    HostController controller = world.connect();
    HostNamespace namespace = controller.namespaces().getFirst();
    List<Long> sizes = new ArrayList<>();
    namespace.addListener(new BlockDevice.Listener() {
      @Override
      public void onResized(BlockDevice device) {
        sizes.add(device.sizeBytes());
      }

      @Override
      public void onRemoved(BlockDevice device, Status reason) {
        sizes.add(-1L);
      }
    });
    world.sim.runFor(SECOND);
    for (long size : new long[] {1 << 20, 2 << 20}) {
      world.target.disk().claimedBytes = size;
      ScriptedConnection admin = world.target.adminConnection();
      assertThat(world.targetLoop.<Boolean>call(() -> admin.admin.event(2 | 4 << 16))).isTrue();
      world.sim.runFor(SECOND);
    }
    assertThat(sizes).containsExactly(1L << 20, 2L << 20);
    BlockChannel channel = world.channel();
    assertThat(world.await(world.read(channel, 3 << 20, 512)).status()).isEqualTo(Status.OUT_OF_RANGE);
    world.target.disks.put(7, new ScriptedTarget.Disk(1 << 20, 12));
    world.target.disks.remove(1);
    ScriptedConnection admin = world.target.adminConnection();
    assertThat(world.targetLoop.<Boolean>call(() -> admin.admin.event(2 | 4 << 16))).isTrue();
    world.sim.runFor(SECOND);
    assertThat(sizes).endsWith(-1L);
    assertThat(controller.namespaces()).extracting(HostNamespace::nsid).containsExactly(7);
    assertThat(controller.namespaces().getFirst().blockSize()).isEqualTo(4096);
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.NOT_FOUND);
    world.close();
  }

  /** After a reconnection the identifier belongs to another namespace: nothing that was meant for the old one may reach it. */
  @Test
  void anotherNamespaceUnderTheSameIdentifierIsNotTheSame() {
    HostWorld world = new HostWorld(13);
    world.connect();
    BlockChannel channel = world.channel();
    world.target.script = onIo((connection, sqe) -> connection.cntlid == 1);
    byte[] data = world.pattern(512);
    HostWorld.Io io = world.write(channel, 0, data);
    world.sim.runFor(SECOND);
    world.target.disk().uuid = new java.util.UUID(5, 5);
    world.sim.net().reset(world.hostMachine, world.targetMachine);
    assertThat(world.await(io).status()).isEqualTo(Status.NOT_FOUND);
    assertThat(world.target.disk().bytes).containsOnly(0);
    assertThat(world.await(world.write(channel, 0, data)).status()).isEqualTo(Status.NOT_FOUND);
    assertThat(world.await(world.write(world.channel(), 0, data)).status()).isEqualTo(Status.OK);
    world.close();
  }

  @Test
  void tooManyRequestsAreRefused() {
    HostWorld world = new HostWorld(14).with(options -> options.withQueues(1, 4).withMaxQueued(8));
    world.connect();
    BlockChannel channel = world.channel();
    world.target.script = onIo((connection, sqe) -> true);
    List<HostWorld.Io> all = new ArrayList<>();
    for (int i = 0; i < 14; i++) {
      all.add(world.read(channel, 0, 512));
    }
    world.sim.runFor(SECOND);
    assertThat(all.stream().filter(io -> io.done)).hasSize(2)
        .allMatch(io -> io.status() == Status.NO_RESOURCES);
    assertThat(world.target.ioConnections().getFirst().mostInFlight).isEqualTo(4);
    world.close();
    assertThat(all).allMatch(io -> io.done);
    assertThat(all.getFirst().status()).isEqualTo(Status.ABORTED);
  }

  @Test
  void aBusyNamespaceIsTriedAgain() {
    HostWorld world = new HostWorld(15);
    world.connect();
    BlockChannel channel = world.channel();
    int[] refusals = {0};
    world.target.script = onIo((connection, sqe) -> {
      if (sqe.opcode() != 0x02 || refusals[0] >= 3) {
        return false;
      }
      refusals[0]++;
      connection.answer(sqe, 0, 0x082);
      return true;
    });
    assertThat(world.await(world.read(channel, 0, 4096)).status()).isEqualTo(Status.OK);
    assertThat(refusals[0]).isEqualTo(3);
    world.target.script = onIo((connection, sqe) -> {
      connection.answer(sqe, 0, 0x082);
      return true;
    });
    assertThat(world.await(world.read(channel, 0, 4096)).status()).isEqualTo(Status.BUSY);
    world.target.script = onIo((connection, sqe) -> {
      connection.answer(sqe, 0, 0x4281);
      return true;
    });
    int before = world.target.count("io 2");
    assertThat(world.await(world.read(channel, 0, 4096)).status()).isEqualTo(Status.MEDIUM_ERROR);
    assertThat(world.target.count("io 2")).isEqualTo(before + 1);
    world.close();
  }

  @Test
  void badRequestsAreAnsweredHere() {
    HostWorld world = new HostWorld(16);
    world.target.oncs = 0;
    world.connect();
    BlockChannel channel = world.channel();
    int before = world.target.count("io 2") + world.target.count("io 1");
    assertThat(world.await(world.read(channel, 100, 512)).status()).isEqualTo(Status.INVALID);
    assertThat(world.await(world.read(channel, 0, 100)).status()).isEqualTo(Status.INVALID);
    assertThat(world.await(world.read(channel, -512, 512)).status()).isEqualTo(Status.INVALID);
    assertThat(world.await(world.read(channel, 4 << 20, 512)).status()).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(world.await(world.read(channel, Long.MAX_VALUE & ~511, 512)).status()).isEqualTo(Status.OUT_OF_RANGE);
    assertThat(world.await(world.plain(channel, IoRequest.Op.COMPARE, 0, 512)).status()).isEqualTo(Status.UNSUPPORTED);
    assertThat(world.await(world.plain(channel, IoRequest.Op.DEALLOCATE, 0, 512)).status()).isEqualTo(Status.OK);
    assertThat(world.target.count("io 2") + world.target.count("io 1")).isEqualTo(before);
    // Without Write Zeroes, zeros are written.
    assertThat(world.await(world.write(channel, 0, world.pattern(200 << 10))).status()).isEqualTo(Status.OK);
    assertThat(world.await(world.plain(channel, IoRequest.Op.WRITE_ZEROES, 0, 200 << 10)).status())
        .isEqualTo(Status.OK);
    assertThat(world.target.disk().bytes).containsOnly(0);
    channel.close();
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.ABORTED);
    world.close();
  }
}
