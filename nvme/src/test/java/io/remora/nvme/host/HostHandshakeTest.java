package io.remora.nvme.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.RemoraException;
import io.remora.base.Status;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.host.ScriptedTarget.Sqe;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What a controller can do wrong before there is a connection to lose, and with digests: each with the fatal error that it has to be told,
 * or the way on. And the end of a connection at every byte of a session.
 */
class HostHandshakeTest {
  private static final long SECOND = HostWorld.SECOND;

  private static DynamicTest first(String name, int fes, UnaryOperator<byte[]> change) {
    return DynamicTest.dynamicTest(name + ": FES " + fes, () -> {
      HostWorld world = new HostWorld(name.hashCode()).with(o -> o.withDigests(true, false));
      ScriptedConnection[] victim = new ScriptedConnection[1];
      world.target.script = new Script() {
        @Override
        public ByteBuffer onSend(ScriptedConnection connection, ByteBuffer pdu) {
          victim[0] = connection;
          return ByteBuffer.wrap(change.apply(bytes(pdu))).order(ByteOrder.LITTLE_ENDIAN);
        }
      };
      CompletableFuture<HostController> future = world.begin();
      world.sim.runUntil(future::isDone, 60 * SECOND);
      RemoraException failure = failure(future);
      assertThat(failure.status()).isEqualTo(Status.PROTOCOL_ERROR);
      world.sim.runFor(10 * SECOND);
      assertThat(victim[0].termReq).isEqualTo(fes);
      assertThat(world.hostMachine.openSockets()).isZero();
    });
  }

  private static RemoraException failure(CompletableFuture<?> future) {
    try {
      future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RemoraException failure) {
        return failure;
      }
      throw new AssertionError("fails otherwise", e);
    }
    throw new AssertionError("does not fail");
  }

  private static byte[] bytes(ByteBuffer pdu) {
    byte[] bytes = new byte[pdu.limit()];
    pdu.get(0, bytes);
    return bytes;
  }

  private static byte[] with(byte[] bytes, int at, int value) {
    bytes[at] = (byte) value;
    return bytes;
  }

  private static byte[] plen(byte[] bytes, int value) {
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(4, value);
    return bytes;
  }

  private static byte[] limit(byte[] bytes, int value) {
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(12, value);
    return bytes;
  }

  @TestFactory
  Stream<DynamicTest> icResp() {
    List<DynamicTest> all = new ArrayList<>(List.of(
        first("ICResp with PFV 1", 6, b -> with(b, 8, 1)), first("ICResp with PFV 256", 6, b -> with(b, 9, 1)),
        first("ICResp with CPDA 32", 1, b -> with(b, 10, 32)), first("ICResp with CPDA 255", 1, b -> with(b, 10, 255)),
        first("ICResp that refuses the header digest", 1, b -> with(b, 11, 0)),
        first("ICResp that adds the data digest", 1, b -> with(b, 11, 3)),
        first("ICResp with MAXH2CDATA 0", 1, b -> limit(b, 0)),
        first("ICResp with MAXH2CDATA 4092", 1, b -> limit(b, 4092)),
        first("CapsuleResp before ICResp", 2, b -> plen(with(with(b, 0, 5), 2, 24), 24)),
        first("C2HData before ICResp", 2, b -> plen(with(with(with(b, 0, 7), 2, 24), 3, 24), 128)),
        first("R2T before ICResp", 2, b -> plen(with(with(b, 0, 9), 2, 24), 24))));
    for (int type : new int[] {0, 2, 4, 6, 8, 10, 0xff}) {
      all.add(first("PDU type " + type + " first", 1, b -> with(b, 0, type)));
    }
    for (int hlen : new int[] {0, 24, 127, 129, 255}) {
      all.add(first("ICResp with HLEN " + hlen, 1, b -> with(b, 2, hlen)));
    }
    for (int plen : new int[] {0, 24, 127, 129, Integer.MIN_VALUE, -1}) {
      all.add(first("ICResp with PLEN " + Integer.toUnsignedLong(plen), 1, b -> plen(b, plen)));
    }
    return all.stream();
  }

  /** One PDU of the answer to a read or write of 16 KiB is changed, once. */
  private static DynamicTest changed(String name, int type, int fes, UnaryOperator<byte[]> change) {
    return DynamicTest.dynamicTest(name, () -> {
      HostWorld world = new HostWorld(name.hashCode()).with(o -> o.withDigests(true, true));
      world.target.ioccsz = 4;
      world.target.success = false;
      world.connect();
      BlockChannel channel = world.channel();
      byte[] data = world.pattern(16384);
      ScriptedConnection victim = world.target.ioConnections().getFirst();
      boolean[] done = new boolean[1];
      world.target.script = new Script() {
        @Override
        public ByteBuffer onSend(ScriptedConnection connection, ByteBuffer pdu) {
          if (done[0] || connection != victim || pdu.get(0) != type) {
            return pdu;
          }
          done[0] = true;
          return ByteBuffer.wrap(change.apply(bytes(pdu))).order(ByteOrder.LITTLE_ENDIAN);
        }
      };
      assertThat(world.await(world.write(channel, 0, data)).status()).isEqualTo(Status.OK);
      HostWorld.Io read = world.await(world.read(channel, 0, data.length));
      assertThat(read.status()).isEqualTo(Status.OK);
      assertThat(read.bytes()).isEqualTo(data);
      assertThat(done[0]).isTrue();
      assertThat(victim.termReq).isEqualTo(fes);
      assertThat(world.controller().status().losses()).isEqualTo(fes < 0 ? 0 : 1);
      world.close();
    });
  }

  @TestFactory
  Stream<DynamicTest> digests() {
    List<DynamicTest> all = new ArrayList<>();
    for (int at = 8; at < 28; at++) {
      int flipped = at;
      for (int type : new int[] {5, 7, 9}) {
        all.add(changed("byte " + at + " of a header of type " + type + " flipped: FES 3", type, 3,
            b -> with(b, flipped, b[flipped] ^ 0x40)));
      }
    }
    for (int at : new int[] {28, 4096, 28 + 16383, 28 + 16384, 28 + 16387}) {
      all.add(changed("byte " + at + " of C2HData flipped: the command is sent again", 7, -1,
          b -> with(b, at, b[at] ^ 1)));
    }
    return all.stream();
  }

  /** What was cut off fails with a status; what was not goes through; nothing is left open. */
  private static boolean attempt(HostWorld world, String what) {
    CompletableFuture<HostController> future = world.begin();
    world.sim.runUntil(future::isDone, 60 * SECOND);
    boolean connected = !future.isCompletedExceptionally();
    if (connected) {
      CompletableFuture<Void> closed = future.join().close();
      world.sim.runUntil(closed::isDone, 60 * SECOND);
    } else {
      assertThat(failure(future).status()).as(what).isIn(Status.DISCONNECTED, Status.TIMED_OUT);
    }
    world.sim.runFor(10 * SECOND);
    assertThat(world.hostMachine.openSockets()).as(what).isZero();
    return connected;
  }

  @TestFactory
  Stream<DynamicTest> ends() {
    return Stream.of(DynamicTest.dynamicTest("a reset after every byte of a session", () -> {
      HostWorld world = new HostWorld(5);
      world.sim.net().fragments(false);
      int failures = 0;
      for (long at = 0; at < 20_000; at += at < 3000 ? 1 : 61) {
        world.sim.net().breakNextConnection(world.hostMachine, world.targetMachine, at);
        failures += attempt(world, "reset after " + at + " bytes") ? 0 : 1;
      }
      assertThat(failures).isGreaterThan(3000);
    }), DynamicTest.dynamicTest("the end of the stream after every byte of a session", () -> {
      HostWorld world = new HostWorld(6);
      world.sim.net().fragments(false);
      int failures = 0;
      for (int at = 0; at < 16_000; at += at < 1000 ? 1 : 61) {
        int[] left = {at};
        world.target.script = new Script() {
          @Override
          public boolean onCommand(ScriptedConnection connection, Sqe sqe, byte[] data) {
            return left[0] < 0;
          }

          @Override
          public ByteBuffer onSend(ScriptedConnection connection, ByteBuffer pdu) {
            int take = Math.clamp(left[0], 0, pdu.limit());
            left[0] -= take;
            if (take == pdu.limit()) {
              return pdu;
            }
            left[0] = -1;
            connection.target.loop.execute(connection::close);
            return ByteBuffer.wrap(Arrays.copyOf(bytes(pdu), take));
          }
        };
        failures += attempt(world, "the end after " + at + " bytes") ? 0 : 1;
      }
      assertThat(failures).isGreaterThan(1000);
    }));
  }
}
