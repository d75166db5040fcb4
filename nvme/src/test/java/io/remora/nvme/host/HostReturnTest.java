package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.IoRequest.Op;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.HostOptions.OnLoss;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A controller that is one of several paths: requests come back to whoever has another one. */
class HostReturnTest {
  private static final long SECOND = HostWorld.SECOND;
  private static final long MILLI = HostWorld.MILLI;

  private static HostWorld world(long seed) {
    HostWorld world = new HostWorld(seed).with(options -> options.withOnLoss(OnLoss.RETURN))
        .times(times -> times.withKeepAlive(2 * SECOND).withLoss(SECOND).withHold(600 * SECOND));
    world.target.listsControllers = false;
    world.connect();
    return world;
  }

  /** Keeps what comes to I/O queues of the first association. */
  private static void keepAll(HostWorld world) {
    world.target.script = new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        return connection.queueId > 0 && connection.cntlid == 1 && sqe.opcode() != 0x7f;
      }
    };
  }

  @Test
  void whatChangesNothingComesBackAtOnceAndTheRestWhenItIsCertain() {
    HostWorld world = world(1);
    BlockChannel channel = world.channel();
    keepAll(world);
    HostWorld.Io read = world.read(channel, 0, 512);
    HostWorld.Io write = world.write(channel, 0, world.pattern(512));
    HostWorld.Io zeroes = world.plain(channel, Op.WRITE_ZEROES, 4096, 512);
    world.sim.runFor(10 * MILLI);
    long begin = world.sim.nowNs();
    world.sim.net().partition(world.hostMachine, world.targetMachine);
    world.sim.net().reset(world.hostMachine, world.targetMachine);
    assertThat(world.await(read).status()).isEqualTo(Status.DISCONNECTED);
    assertThat(world.await(world.write(channel, 0, world.pattern(512))).status()).isEqualTo(Status.DISCONNECTED);
    assertThat(world.sim.nowNs() - begin).isLessThan(100 * MILLI);
    world.sim.runFor(100 * MILLI);
    assertThat(world.controller().suspects()).containsExactly(1);
    world.sim.runFor(3700 * MILLI);
    assertThat(write.done).isFalse();
    assertThat(world.await(write).status()).isEqualTo(Status.DISCONNECTED);
    assertThat(world.await(zeroes).status()).isEqualTo(Status.DISCONNECTED);
    assertThat(world.controller().suspects()).isEmpty();
    // It is never given up, and goes on where it was.
    world.sim.runFor(20 * SECOND);
    world.sim.net().heal();
    world.awaitState(HostState.LIVE);
    assertThat(world.await(world.read(channel, 0, 512)).status()).isEqualTo(Status.OK);
    world.close();
  }

  @Test
  void somebodyElseMayKnowThatTheOldControllerIsDead() {
    HostWorld world = world(2);
    BlockChannel channel = world.channel();
    keepAll(world);
    HostWorld.Io write = world.write(channel, 0, world.pattern(512));
    world.sim.runFor(10 * MILLI);
    world.sim.net().partition(world.hostMachine, world.targetMachine);
    world.sim.net().reset(world.hostMachine, world.targetMachine);
    world.sim.runFor(100 * MILLI);
    assertThat(write.done).isFalse();
    world.hostLoops.getFirst().run(() -> world.controller().declareDead(2));
    world.sim.runFor(10 * MILLI);
    assertThat(write.done).isFalse();
    world.hostLoops.getFirst().run(() -> world.controller().declareDead(1));
    world.sim.runFor(10 * MILLI);
    assertThat(write.done).isTrue();
    world.close();
  }

  @Test
  void aPathErrorIsNotTriedAgainHere() {
    HostWorld world = world(3);
    BlockChannel channel = world.channel();
    for (int status : new int[] {0x300, 0x301, 0x302, 0x303, 0x370}) {
      world.target.script = new Script() {
        @Override
        public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
          if (connection.queueId > 0) {
            connection.answer(sqe, 0, status);
          }
          return connection.queueId > 0;
        }
      };
      int before = world.target.count("io 1");
      assertThat(world.await(world.write(channel, 0, world.pattern(512))).status()).isEqualTo(Status.DISCONNECTED);
      assertThat(world.target.count("io 1")).isEqualTo(before + 1);
    }
    assertThat(world.controller().status().losses()).isZero();
    world.close();
  }

  @Test
  void aControllerThatRetiresGivesEverythingBack() {
    HostWorld world = world(4);
    BlockChannel channel = world.channel();
    keepAll(world);
    HostWorld.Io write = world.write(channel, 0, world.pattern(512));
    world.sim.runFor(10 * MILLI);
    CompletableFuture<Void> retired = world.controller().retire();
    CompletableFuture<Void> again = world.controller().retire();
    world.sim.runUntil(retired::isDone, 10 * SECOND);
    // The controller has confirmed that it has stopped: nothing had to wait for its keep-alive.
    assertThat(world.sim.nowNs()).isLessThan(SECOND);
    assertThat(write.done).isTrue();
    assertThat(write.status()).isEqualTo(Status.DISCONNECTED);
    assertThat(again).isDone();
    assertThat(world.controller().status().state()).isEqualTo(HostState.CLOSED);
    world.close();
  }
}
