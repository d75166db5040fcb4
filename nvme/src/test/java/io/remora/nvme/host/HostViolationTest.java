package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * A controller that breaks the protocol is told so, and left; the host connects anew, and no request fails. What the
 * controller does wrong, it does once.
 */
class HostViolationTest {
  private static final int ANY = -2;
  private static final int SEEDS = 10;

  /** One wrong deed. */
  private interface Deed {
    void act(ScriptedConnection connection, Sqe sqe);
  }

  private static DynamicTest onRead(String name, int fes, Deed deed) {
    return DynamicTest.dynamicTest("read: " + name, () -> run(false, fes, deed));
  }

  private static DynamicTest onWrite(String name, int fes, Deed deed) {
    return DynamicTest.dynamicTest("write: " + name, () -> run(true, fes, deed));
  }

  @TestFactory
  Stream<DynamicTest> violations() {
    byte[] half = new byte[8192];
    byte[] whole = new byte[16384];
    return Stream.of(
        onRead("response without data", 4, (c, s) -> c.answer(s, 0, 0)),
        onRead("response after half of the data", 4, (c, s) -> {
          c.data(s.cid(), 0, half, 0);
          c.answer(s, 0, 0);
        }), onRead("success after half of the data", 1, (c, s) -> c.data(s.cid(), 0, half, 4 | 8)),
        onRead("success without LAST", 1, (c, s) -> c.data(s.cid(), 0, whole, 8)),
        onRead("a gap", 4, (c, s) -> c.data(s.cid(), 4096, half, 0)),
        onRead("the same data twice", 4, (c, s) -> {
          c.data(s.cid(), 0, half, 0);
          c.data(s.cid(), 0, half, 0);
        }), onRead("data after LAST", 4, (c, s) -> {
          c.data(s.cid(), 0, half, 4);
          c.data(s.cid(), 8192, half, 4);
        }), onRead("more data than asked for", 4, (c, s) -> c.data(s.cid(), 0, new byte[16384 + 512], 4)),
        onRead("an offset near 4 GiB", 4, (c, s) -> c.data(s.cid(), -512, half, 0)),
        onRead("data for another command", 1, (c, s) -> c.data(s.cid() ^ 1, 0, whole, 4)),
        onRead("data for an old use of the slot", 1, (c, s) -> c.data(s.cid() ^ 0x1000, 0, whole, 4)),
        onRead("response for another command", 1, (c, s) -> c.response(s.cid() ^ 1, 0, 0)),
        onRead("response for a slot that there is not", 1, (c, s) -> c.response(0xfff, 0, 0)),
        onRead("two responses", 1, (c, s) -> {
          c.answer(s, 0, 0x4004);
          c.response(s.cid(), 0, 0x4004);
        }), onRead("R2T", 1, (c, s) -> c.r2t(s.cid(), 7, 0, 512)),
        onRead("no data at all in C2HData", 1, (c, s) -> c.data(s.cid(), 0, new byte[0], 4)),
        onRead("ICResp again", 2, (c, s) -> c.send(header(1, 128, 0, 128))),
        onRead("a PDU type that only a host sends", 1, (c, s) -> c.send(header(4, 72, 0, 72))),
        onRead("a PDU type that there is not", 1, (c, s) -> c.send(header(0x42, 24, 0, 24))),
        onRead("a wrong HLEN", 1, (c, s) -> c.send(header(5, 25, 0, 25))),
        onRead("a PLEN of 4 GiB", 1, (c, s) -> c.send(header(7, 24, 24, -1))),
        onRead("a PLEN of 0", 1, (c, s) -> c.send(header(5, 24, 0, 0))),
        onRead("a PDO inside the header", 1, (c, s) -> c.send(header(7, 24, 20, 24 + 512))),
        onRead("a digest that was not agreed", 1, (c, s) -> {
          ByteBuffer pdu = header(5, 24, 0, 28);
          c.send(pdu.put(1, (byte) 1));
        }), onWrite("success before the data", 4, (c, s) -> c.answer(s, 0, 0)),
        onWrite("R2T past the end", 4, (c, s) -> c.r2t(s.cid(), 7, 0, 16384 + 512)),
        onWrite("R2T with a gap", 4, (c, s) -> c.r2t(s.cid(), 7, 512, 512)),
        onWrite("R2T of nothing", 4, (c, s) -> c.r2t(s.cid(), 7, 0, 0)),
        onWrite("R2T near 4 GiB", 4, (c, s) -> c.r2t(s.cid(), 7, 0, -512)),
        onWrite("two R2Ts at once", ANY, (c, s) -> {
          c.lenient = true;
          c.r2t(s.cid(), 7, 0, 8192);
          c.r2t(s.cid(), 8, 0, 8192);
        }), onWrite("data for a write", 1, (c, s) -> c.data(s.cid(), 0, half, 4)),
        onWrite("C2HTermReq", ANY, (c, s) -> c.send(header(3, 24, 0, 24).putShort(8, (short) 1))),
        onWrite("the end of the connection", ANY, (c, s) -> c.close()),
        onWrite("a reset", ANY, (c, s) -> c.reset()));
  }

  /** In several orders of events: among them those in which the socket has taken a part of the host's next PDU only. */
  private static void run(boolean write, int fes, Deed deed) {
    for (int seed = 1; seed <= SEEDS; seed++) {
      run(new HostWorld(seed), write, fes, deed);
    }
  }

  private static void run(HostWorld world, boolean write, int fes, Deed deed) {
    world.target.ioccsz = 4;
    world.connect();
    BlockChannel channel = world.channel();
    byte[] before = world.pattern(16384);
    assertThat(world.await(world.write(channel, 0, before)).status()).isEqualTo(Status.OK);
    ScriptedConnection victim = world.target.ioConnections().getFirst();
    boolean[] done = {false};
    world.target.script = new Script() {
      @Override
      public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
        return !write && once(connection, sqe);
      }

      @Override
      public boolean onTransfer(ScriptedConnection connection, Sqe sqe) {
        return write && once(connection, sqe);
      }

      private boolean once(ScriptedConnection connection, Sqe sqe) {
        if (done[0] || !connection.equals(victim)) {
          return false;
        }
        done[0] = true;
        deed.act(connection, sqe);
        return true;
      }
    };
    byte[] after = world.pattern(16384);
    HostWorld.Io io = write ? world.write(channel, 0, after) : world.read(channel, 0, 16384);
    HostWorld.Io other = world.read(channel, 1 << 20, 16384);
    world.sim.runUntil(() -> world.controller().status().losses() == 1, 10 * HostWorld.SECOND);
    String why = "seed " + world.sim.seed() + ", " + world.controller().status();
    assertThat(world.controller().status().reason()).isIn(Status.PROTOCOL_ERROR, Status.DISCONNECTED);
    assertThat(world.controller().status().text()).contains("I/O queue 1");
    world.await(io);
    world.await(other);
    if (io.status() != Status.DISCONNECTED) {
      assertThat(io.status()).isEqualTo(Status.OK);
      if (!write) {
        assertThat(io.bytes()).isEqualTo(before);
      }
    }
    assertThat(other.status()).isEqualTo(Status.OK);
    // The TermReq may still be on its way.
    world.sim.runFor(HostWorld.SECOND);
    if (fes != ANY) {
      assertThat(victim.termReq).as(why).isEqualTo(fes);
    }
    byte[] now = Arrays.copyOf(world.target.disk().bytes, 16384);
    assertThat(now).isEqualTo(write ? after : before);
    world.close();
  }

  private static ByteBuffer header(int type, int hlen, int pdo, int plen) {
    return ScriptedConnection.buffer(128).put(0, (byte) type).put(2, (byte) hlen).put(3, (byte) pdo).putInt(4, plen);
  }
}
