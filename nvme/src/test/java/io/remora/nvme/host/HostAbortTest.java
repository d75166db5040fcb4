package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A command that takes too long is aborted, once; if that does not help, the controller is reset. */
class HostAbortTest {
  private static final long SECOND = HostWorld.SECOND;
  private static final long MILLI = HostWorld.MILLI;
  private static final int ABORT = 0x08;
  private static final int READ = 0x02;
  private static final int CONNECT = 0x01;
  private static final int ABORTED = 0x007;

  /** Keeps all reads; deals with aborts by {@link #onAbort}. */
  private abstract static class Keeper implements Script {
    final List<Sqe> kept = new ArrayList<>();
    final List<Integer> aborted = new ArrayList<>();

    abstract void onAbort(ScriptedConnection admin, Sqe abort, Sqe slow);

    @Override
    public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
      if (connection.queueId > 0 && sqe.opcode() == READ && connection.cntlid == 1) {
        return kept.add(sqe);
      }
      if (connection.queueId == 0 && sqe.opcode() == ABORT) {
        int cid = sqe.dword(10) >>> 16;
        aborted.add(cid);
        onAbort(connection, sqe, kept.stream().filter(each -> each.cid() == cid).findFirst().orElseThrow());
        return true;
      }
      return false;
    }
  }

  @Test
  void abortsStayWithinTheLimitOfTheController() {
    HostWorld world = new HostWorld(1).times(times -> times.withIo(SECOND));
    world.target.acl = 1;
    world.connect();
    BlockChannel channel = world.channel();
    int[] outstanding = {0, 0};
    Keeper keeper = new Keeper() {
      @Override
      void onAbort(ScriptedConnection admin, Sqe abort, Sqe slow) {
        outstanding[0]++;
        outstanding[1] = Math.max(outstanding[1], outstanding[0]);
        world.sim.schedule(20 * MILLI, () -> world.targetLoop.run(() -> {
          outstanding[0]--;
          world.target.ioConnections().getFirst().answer(slow, 0, ABORTED);
          admin.answer(abort, 0, 0);
        }));
      }
    };
    world.target.script = keeper;
    List<HostWorld.Io> all = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      all.add(world.read(channel, 512L * i, 512));
    }
    all.forEach(world::await);
    assertThat(all).allMatch(io -> io.status() == Status.TIMED_OUT);
    assertThat(outstanding[1]).as("most aborts at once: ACL is 1, counted from 0").isEqualTo(2);
    assertThat(keeper.aborted).containsExactlyInAnyOrderElementsOf(keeper.kept.stream().map(Sqe::cid).toList());
    assertThat(world.controller().status().aborts()).isEqualTo(9);
    assertThat(world.controller().status().losses()).isZero();
    world.close();
  }

  @Test
  void whatWasAnsweredWhileItWaitedIsNotAborted() {
    HostWorld world = new HostWorld(2).times(times -> times.withIo(SECOND));
    world.target.acl = 0;
    world.connect();
    BlockChannel channel = world.channel();
    Keeper keeper = new Keeper() {
      @Override
      void onAbort(ScriptedConnection admin, Sqe abort, Sqe slow) {
        ScriptedConnection queue = world.target.ioConnections().getFirst();
        for (Sqe each : kept) {
          if (each != slow) {
            queue.answerData(each, new byte[512]);
          }
        }
        world.sim.schedule(20 * MILLI, () -> world.targetLoop.run(() -> {
          queue.answer(slow, 0, ABORTED);
          admin.answer(abort, 0, 0);
        }));
      }
    };
    world.target.script = keeper;
    HostWorld.Io first = world.read(channel, 0, 512);
    HostWorld.Io second = world.read(channel, 512, 512);
    assertThat(world.await(second).status()).isEqualTo(Status.OK);
    assertThat(world.await(first).status()).isEqualTo(Status.TIMED_OUT);
    world.sim.runFor(5 * SECOND);
    assertThat(keeper.aborted).containsExactly(keeper.kept.getFirst().cid());
    world.close();
  }

  /** The controller takes the Abort and does not end the command; then it refuses to be connected to for a while. */
  @Test
  void anAbortThatDoesNotHelpIsFollowedByAResetAndPatientReconnection() {
    HostWorld world = new HostWorld(3).times(times -> times.withIo(SECOND).withReconnect(100 * MILLI, 5 * SECOND));
    world.connect();
    BlockChannel channel = world.channel();
    List<Long> connects = new ArrayList<>();
    Keeper keeper = new Keeper() {
      @Override
      void onAbort(ScriptedConnection admin, Sqe abort, Sqe slow) {
        admin.answer(abort, 1, 0);
      }

      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        if (sqe.opcode() == 0x7f && sqe.fctype() == CONNECT && sqe.dword(10) >>> 16 == 0) {
          connects.add(world.sim.nowNs());
          world.target.connectStatus = connects.size() < 7 ? 0x181 : 0;
        }
        return super.onCommand(connection, sqe, data);
      }
    };
    world.target.script = keeper;
    HostWorld.Io read = world.read(channel, 0, 512);
    long begin = world.sim.nowNs();
    world.awaitState(HostState.RESETTING);
    assertThat(keeper.aborted).hasSize(1);
    assertThat(world.controller().status().text()).contains("was not answered within 2000 ms");
    // Twice the time-out, to a tick each.
    assertThat(world.sim.nowNs() - begin).isBetween(2 * SECOND, 2 * SECOND + 750 * MILLI);
    assertThat(world.await(read).status()).isEqualTo(Status.OK);
    assertThat(connects).hasSize(7);
    for (int i = 2; i < 6; i++) {
      long delay = connects.get(i) - connects.get(i - 1);
      long longest = (100 * MILLI) << i;
      assertThat(delay).as("delay before attempt %d", i + 1).isBetween(longest / 2, longest + 50 * MILLI);
    }
    world.close();
  }
}
