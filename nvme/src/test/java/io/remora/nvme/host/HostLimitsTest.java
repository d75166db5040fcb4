package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import org.junit.jupiter.api.Test;

/** Controllers whose limits change from one association to the next. */
class HostLimitsTest {
  private static final long SECOND = HostWorld.SECOND;

  @Test
  void aControllerThatTakesLessPerCommandThanBeforeIsJoined() {
    HostWorld world = new HostWorld(3);
    world.target.mdts = 8;
    world.connect();
    BlockChannel channel = world.channel();
    byte[] data = world.pattern(512 << 10);
    assertThat(world.await(world.write(channel, 0, data)).status()).isEqualTo(Status.OK);
    world.target.mdts = 5;
    world.controller().reset("test");
    world.awaitState(HostState.RECONNECTING);
    world.awaitState(HostState.LIVE);
    int before = world.target.count("io 2");
    HostWorld.Io read = world.await(world.read(channel, 0, data.length));
    assertThat(read.status()).isEqualTo(Status.OK);
    assertThat(read.bytes()).isEqualTo(data);
    assertThat(world.target.count("io 2") - before).as("commands of 128 KiB").isEqualTo(4);
    world.close();
  }

  @Test
  void aCommandThatHasBecomeTooLargeFailsWhenItHasWaited() {
    HostWorld world = new HostWorld(4).times(t -> t.withHold(5 * SECOND));
    world.target.mdts = 8;
    world.connect();
    BlockChannel channel = world.channel();
    world.target.script = new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        return connection.queueId > 0 && sqe.opcode() == 2;
      }
    };
    HostWorld.Io large = world.read(channel, 0, 512 << 10);
    world.sim.runFor(SECOND);
    assertThat(large.done).isFalse();
    world.target.script = new Script() {
    };
    world.target.mdts = 5;
    world.controller().reset("test");
    assertThat(world.await(large).status()).isEqualTo(Status.DISCONNECTED);
    world.awaitState(HostState.LIVE);
    assertThat(world.await(world.read(channel, 0, 512 << 10)).status()).isEqualTo(Status.OK);
    world.close();
  }
}
