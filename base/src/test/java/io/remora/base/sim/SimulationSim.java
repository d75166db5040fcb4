package io.remora.base.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.remora.base.Disk.Mode;
import io.remora.base.DiskFile;
import io.remora.base.IoRequest;
import io.remora.base.IoRequest.Op;
import io.remora.base.Sgl;
import io.remora.base.StreamSocket;
import io.remora.base.Timer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A small node that writes to its disk what it hears, and a caller; everything that can happen happens to them. */
class SimulationSim {
  private static final long SECOND_NS = 1_000_000_000L;

  private record Outcome(long traceHash, long events, long nowNs) {}

  /** Stores each byte it reads in a block of its own, then answers it. */
  private static final class Recorder implements StreamSocket.Handler {
    final MemorySegment memory = Arena.ofAuto().allocate(4096);
    final DiskFile file;
    final IoRequest write = new IoRequest(this::written);
    @Nullable
    StreamSocket socket;
    long offset;

    Recorder(DiskFile file) {
      this.file = file;
    }

    @Override
    public void onReadable() {
      if (socket != null && !write.pending() && socket.read(memory, 0, 1) == 1) {
        write.prepare(Op.WRITE, offset % file.sizeBytes(), 4096);
        write.fua = memory.get(ValueLayout.JAVA_BYTE, 0) % 3 == 0;
        write.sgl.add(memory, 0, 4096);
        file.submit(write);
      }
    }

    private void written(IoRequest request) {
      offset += 4096;
      Sgl answer = new Sgl();
      answer.add(memory, 0, 1);
      if (socket != null && socket.write(answer) >= 0) {
        onReadable();
      }
    }

    @Override
    public void onWritable() {}

    @Override
    public void onClosed(io.remora.base.Status reason) {
      if (socket != null) {
        socket.close();
      }
    }
  }

  /** Calls the recorder every millisecond anew, if it has to, and sends it something. */
  private static final class Caller implements StreamSocket.Handler {
    final SimLoop loop;
    final InetSocketAddress address;
    final MemorySegment memory = Arena.ofAuto().allocate(64);
    final Timer timer;
    @Nullable
    StreamSocket socket;
    long answers;

    Caller(SimLoop loop, InetSocketAddress address) {
      this.loop = loop;
      this.address = address;
      this.timer = loop.timer(this::tick);
      timer.arm(0);
    }

    private void tick() {
      if (socket == null) {
        socket = loop.net().connect(address, this);
      } else {
        Sgl list = new Sgl();
        loop.random().ints(64).forEach(value -> memory.set(ValueLayout.JAVA_BYTE, value & 63, (byte) value));
        list.add(memory, 0, 1 + loop.random().nextInt(64));
        socket.write(list);
      }
      timer.arm(1_000_000);
    }

    @Override
    public void onReadable() {
      while (socket != null) {
        long got = socket.read(memory, 0, 64);
        if (got <= 0) {
          if (got < 0) {
            onClosed(socket.closeReason());
          }
          return;
        }
        answers += got;
      }
    }

    @Override
    public void onWritable() {}

    @Override
    public void onClosed(io.remora.base.Status reason) {
      if (socket != null) {
        socket.close();
        socket = null;
      }
    }
  }

  @Test
  void sameSeedRepeatsEveryEventAndAnotherDoesNot() {
    Set<Outcome> outcomes = new HashSet<>();
    for (long seed : Seeds.of(5)) {
      Outcome first = run(seed);
      assertThat(run(seed)).as("seed %d", seed).isEqualTo(first);
      outcomes.add(first);
    }
    assertThat(outcomes).hasSize(Seeds.of(5).length);
  }

  private static Outcome run(long seed) {
    Simulation simulation = new Simulation(seed);
    SimMachine node = simulation.machine("node");
    SimMachine caller = simulation.machine("caller");
    InetSocketAddress address = new InetSocketAddress(node.address(), 4420);
    simulation.net().datagrams(0.1, 0.1);
    boot(node, address);
    SimLoop loop = caller.start(2).getFirst();
    Caller talker = loop.call(() -> new Caller(loop, address));
    for (int i = 0; i < 10; i++) {
      simulation.runFor(simulation.random().nextLong(SECOND_NS / 50));
      switch (simulation.random().nextInt(6)) {
        case 0 -> {
          node.kill();
          boot(node, address);
        }
        case 1 -> {
          node.powerLoss();
          simulation.runFor(SECOND_NS / 100);
          boot(node, address);
        }
        case 2 -> simulation.net().partition(node, caller);
        case 3 -> simulation.net().heal();
        case 4 -> simulation.net().reset(node, caller);
        default -> node.jumpWallClock(simulation.random().nextInt(10_000) - 5_000);
      }
    }
    simulation.net().heal();
    long before = talker.answers;
    simulation.runUntil(() -> talker.answers > before, 400 * SECOND_NS);
    return new Outcome(simulation.traceHash(), simulation.events(), simulation.nowNs());
  }

  private static void boot(SimMachine node, InetSocketAddress address) {
    SimLoop loop = node.start(1).getFirst();
    loop.run(() -> {
      DiskFile file = loop.disk().open(Path.of("/data/log"), Mode.CREATE);
      file.grow(1 << 20);
      loop.net().listen(address, connection -> {
        Recorder recorder = new Recorder(file);
        recorder.socket = connection.attach(loop, recorder);
      });
    });
  }
}
