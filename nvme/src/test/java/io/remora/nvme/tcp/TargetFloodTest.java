package io.remora.nvme.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Sgl;
import io.remora.base.Status;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import io.remora.base.sim.SimLoop;
import io.remora.nvme.Opcode;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.target.ConnectionLimits;
import io.remora.nvme.target.TargetConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Thousands of connections that cost a target as much as they can: memory stays inside its bounds all the while, a host that was there
 * before goes on with verified I/O and is not disconnected, and when the flood is over everything has been given back.
 */
class TargetFloodTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long MEMORY = 64 << 20;
  private static final TargetConfig CONFIG = TargetConfig.DEFAULT.withMemory(MEMORY, 2 << 20)
      .withLimits(new ConnectionLimits(200, 16, 100, 50));

  private final TestWorld world = new TestWorld(System.nanoTime(), CONFIG);
  private final MemorySegment scratch = Arena.ofAuto().allocate(1 << 20);
  private final List<Flooder> flood = new ArrayList<>();
  private SimLoop honestLoop = world.hostLoop;
  private HostController honest;
  private HonestLoad load;
  private long atFirst;
  private long most;

  /** A connection that does nothing but what its test says. */
  private class Flooder implements StreamSocket.Handler {
    final StreamSocket socket;
    boolean connected;
    boolean ended;
    boolean reads = true;

    Flooder() {
      socket = world.hostLoop.net().connect(world.listener.localAddress(), this);
      flood.add(this);
    }

    void send(byte[] bytes) {
      if (ended) {
        return;
      }
      MemorySegment.copy(bytes, 0, scratch, ValueLayout.JAVA_BYTE, 0, bytes.length);
      Sgl list = new Sgl();
      list.add(scratch, 0, bytes.length);
      socket.write(list);
    }

    @Override
    public void onConnected() {
      connected = true;
    }

    @Override
    public void onReadable() {
      while (reads && !ended) {
        long count = socket.read(scratch, 0, scratch.byteSize());
        if (count == 0) {
          return;
        }
        if (count < 0) {
          end();
        }
      }
    }

    @Override
    public void onWritable() {}

    @Override
    public void onClosed(Status reason) {
      end();
    }

    void end() {
      if (!ended) {
        ended = true;
        socket.close();
      }
    }
  }

  @BeforeEach
  void anHonestHostIsThere() {
    world.sim.net().fragments(false);
    honestLoop = world.sim.machine("honest").start(1).getFirst();
    CompletableFuture<HostController> future = HostController.connect(new HostTcp(), List.of(honestLoop),
        HostOptions.of(world.listener.localAddress(), TestWorld.NQN).withQueues(2, 8));
    honest = world.await(future);
    world.device.recording = false;
    load = honestLoop.call(() -> new HonestLoad(honestLoop, honest.namespaces().getFirst().open(honestLoop),
        world.sim.random(), 20_000_000));
    world.settle();
    load.stop();
    world.sim.runUntil(load::idle, SECOND);
    world.sim.runFor(SECOND);
    atFirst = usedBytes();
    load.goOn();
    world.sim.afterEveryEvent(this::watch);
  }

  private int events;
  private boolean watching = true;

  private void watch() {
    if (watching && ++events % 64 == 0) {
      most = Math.max(most, usedBytes());
    }
  }

  private long usedBytes() {
    long used = 0;
    for (SimLoop loop : world.targetLoops) {
      long here = loop.call(() -> world.target.on(loop).pool().usedBytes());
      assertThat(here).as("memory of a loop").isLessThanOrEqualTo(MEMORY);
      assertThat(loop.call(() -> world.target.on(loop).pool().arenaBytes())).isLessThanOrEqualTo(MEMORY);
      used += here;
    }
    return used;
  }

  @AfterEach
  void nothingIsLeft() {
    watching = false;
    world.hostLoop.run(() -> flood.forEach(Flooder::end));
    world.sim.runFor(30 * SECOND);
    load.stop();
    world.sim.runUntil(load::idle, 60 * SECOND);
    world.sim.runFor(SECOND);
    assertThat(honest.status().losses()).as("connections that the honest host lost").isZero();
    assertThat(usedBytes()).as("memory when the flood is over, at most %d", most).isEqualTo(atFirst);
    world.await(honest.close());
    world.close();
  }

  private void goesOn() {
    long before = load.done;
    world.sim.runFor(SECOND);
    assertThat(load.done - before).as("requests of the honest host in a second").isGreaterThan(10);
  }

  @Test
  void thousandsThatSendAByteNowAndThen() {
    byte[] request = Pdus.icReq(0, false, false);
    world.hostLoop.run(() -> {
      for (int i = 0; i < 3000; i++) {
        Flooder slow = new Flooder();
        int[] sent = {0};
        Timer[] timer = new Timer[1];
        timer[0] = world.hostLoop.timer(() -> {
          if (slow.connected && sent[0] < request.length) {
            slow.send(new byte[] {request[sent[0]++]});
          }
          if (!slow.ended) {
            timer[0].arm(SECOND + world.sim.random().nextLong(SECOND));
          }
        });
        timer[0].arm(world.sim.random().nextLong(SECOND));
      }
    });
    for (int i = 0; i < 15; i++) {
      goesOn();
    }
    assertThat(flood).as("those that never came to Connect").allMatch(slow -> slow.ended);
    assertThat(most).isGreaterThan(atFirst);
  }

  @Test
  void thousandsThatSayNothing() {
    world.hostLoop.run(() -> {
      for (int i = 0; i < 3000; i++) {
        new Flooder();
      }
    });
    for (int i = 0; i < 15; i++) {
      goesOn();
    }
    assertThat(flood).allMatch(silent -> silent.ended);
  }

  @Test
  void aHostComesInDuringAFlood() {
    Timer[] timer = new Timer[1];
    int[] count = {0};
    world.hostLoop.run(() -> {
      timer[0] = world.hostLoop.timer(() -> {
        new Flooder();
        if (count[0]++ < 5000) {
          timer[0].arm(1_000_000);
        }
      });
      timer[0].arm(1);
    });
    world.sim.runFor(SECOND);
    assertThat(flood.stream().filter(silent -> silent.ended).count()).as("those that gave way").isPositive();
    SimLoop loop = world.sim.machine("late").start(1).getFirst();
    CompletableFuture<HostController> late = HostController.connect(new HostTcp(), List.of(loop),
        HostOptions.of(world.listener.localAddress(), TestWorld.NQN).withQueues(2, 8));
    world.sim.runUntil(late::isDone, SECOND);
    world.await(late.join().close());
    goesOn();
  }

  @Test
  void thatConnectionsAreTurnedAwayIsToldOnceAMinute() {
    SimLoop loop = world.targetLoops.getFirst();
    assertThat(loop.call(() -> world.target.on(loop).turnAway())).isTrue();
    world.sim.runFor(59 * SECOND);
    assertThat(loop.call(() -> world.target.on(loop).turnAway())).isFalse();
    world.sim.runFor(2 * SECOND);
    assertThat(loop.call(() -> world.target.on(loop).turnAway())).isTrue();
  }

  @Test
  void thousandsThatComeAndGo() {
    byte[] request = Pdus.icReq(0, true, true);
    for (int round = 0; round < 20; round++) {
      List<Flooder> guests = new ArrayList<>();
      world.hostLoop.run(() -> {
        for (int i = 0; i < 200; i++) {
          guests.add(new Flooder());
        }
      });
      world.sim.runFor(world.sim.random().nextLong(2_000_000));
      world.hostLoop.run(() -> {
        for (Flooder guest : guests) {
          if (guest.connected && world.sim.random().nextBoolean()) {
            guest.send(request);
          }
          if (world.sim.random().nextBoolean()) {
            guest.socket.reset();
          }
          guest.end();
        }
      });
      flood.clear();
    }
    goesOn();
  }

  /** Connects a queue with raw bytes, does not read again, and asks for as much as it may. */
  @Test
  void hostsThatNeverRead() {
    byte[] connect = TestQueue.connect(0, 31, 0, true);
    Pdus.view(connect).putInt(32, 1024).put(39, (byte) 1);
    byte[] data = TestQueue.connectData(0xffff, TestWorld.NQN, TestWorld.HOST);
    byte[] enable = TestQueue.fabrics(Opcode.PROPERTY_SET);
    Pdus.view(enable).putInt(44, 0x14).putLong(48, 0x00460001);
    byte[] identify = TestQueue.sqe(Opcode.IDENTIFY, 0);
    Pdus.view(identify).putInt(40, 1).putInt(32, 4096);
    world.hostLoop.run(() -> {
      for (int i = 0; i < 300; i++) {
        new Flooder();
      }
    });
    world.sim.runFor(SECOND / 100);
    world.hostLoop.run(() -> {
      for (Flooder guest : flood) {
        guest.reads = false;
        if (guest.connected) {
          guest.send(Pdus.icReq(0, false, false));
          guest.send(Pdus.pdu(4, 0, Pdus.capsule(connect), data, false, false));
          guest.send(Pdus.pdu(4, 0, Pdus.capsule(enable), new byte[0], false, false));
        }
      }
    });
    // The sockets between them hold 126 answers; then it is the target's memory, within the queue's 32 entries.
    for (int i = 0; i < 140; i++) {
      world.hostLoop.run(() -> flood.forEach(guest -> {
        byte[] one = identify.clone();
        Pdus.view(one).putShort(2, (short) world.sim.random().nextInt(1000));
        guest.send(Pdus.pdu(4, 0, Pdus.capsule(one), new byte[0], false, false));
      }));
      world.sim.runFor(SECOND / 100);
    }
    goesOn();
    for (int i = 0; i < 14; i++) {
      world.sim.runFor(9 * SECOND);
      goesOn();
    }
    assertThat(world.subsystem.connections()).as("controllers of hosts that read nothing").hasSize(1);
  }
}
