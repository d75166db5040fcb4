package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.RemoraException;
import io.remora.base.Timer;
import io.remora.base.sim.SimLoop;
import io.remora.block.BlockChannel;
import io.remora.nvme.host.ScriptedTarget.Script;
import io.remora.nvme.tcp.HostTcp;
import io.remora.nvme.tcp.PduMutator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One episode of fuzzing a whole host: it stays connected to a target whose PDUs are mutated now and then, from Connect to I/O. Every
 * request ends, once, and touches no memory but its own; when the target has come to its senses, the host is connected
 * again and does verified I/O, and nothing is left open. A seed repeats it.
 */
final class HostFuzz {
  private static final long SECOND = 1_000_000_000L;
  private static final long MILLI = 1_000_000L;
  private static final int WORKERS = 6;
  private static final int MAX_BYTES = 48 << 10;
  private static final int GAP = 128;
  private static final byte CANARY = (byte) 0xCA;
  private static final long PATIENCE_NS = 1_000 * SECOND;

  final HostWorld world;
  private final RandomGenerator random;
  private final PduMutator mutator;
  private final SimLoop loop;
  private final List<Worker> workers = new ArrayList<>();
  private final int oneIn;
  private @Nullable HostNamespace namespace;
  private @Nullable BlockChannel channel;
  private boolean hostile;
  long mutated;
  long completed;
  long failed;

  private HostFuzz(long seed) {
    world = new HostWorld(seed);
    random = world.sim.random();
    mutator = new PduMutator(random);
    loop = world.hostLoops.getFirst();
    oneIn = 4 + random.nextInt(24);
    world.sim.net().fragments(random.nextInt(8) == 0);
    world.with(o -> o.withDigests(random.nextBoolean(), random.nextBoolean()).withQueues(1, 4 + random.nextInt(8)))
        .times(t -> t.withConnect(SECOND).withKeepAlive(2 * SECOND).withIo(SECOND)
            .withReconnect(MILLI, 20 * MILLI).withHold(10 * SECOND).withLoss(1_000_000 * SECOND));
    if (random.nextBoolean()) {
      world.target.ioccsz = 4;
    }
    if (random.nextBoolean()) {
      world.target.c2hBytes = 4096;
      world.target.r2tBytes = 4096;
    }
    world.target.success = random.nextBoolean();
    world.target.script = new Script() {
      @Override
      public ByteBuffer onSend(ScriptedConnection connection, ByteBuffer pdu) {
        return hostile && random.nextInt(oneIn) == 0 ? mutate(connection, pdu) : pdu;
      }
    };
  }

  private ByteBuffer mutate(ScriptedConnection connection, ByteBuffer pdu) {
    byte[] good = new byte[pdu.limit()];
    pdu.get(0, good);
    byte[] bad = mutator.mutate(good, connection.headerDigest && good[0] != 1, connection.dataDigest && good[0] != 1);
    if (random.nextInt(32) == 0) {
      mutator.interesting(bad);
    }
    // What the host makes of it cannot be told: its data is taken and not looked at.
    connection.lenient = true;
    mutated++;
    return ByteBuffer.wrap(bad).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Has the target send {@code pdus} mutated PDUs; throws when anything goes wrong. */
  static HostFuzz run(long seed, long pdus) {
    return guarded(seed, fuzz -> fuzz.run(pdus));
  }

  /** The same for a host that asks a discovery controller, one question after the other. */
  static HostFuzz discover(long seed, long pdus) {
    return guarded(seed, fuzz -> fuzz.discover(pdus));
  }

  private interface Body {
    void run(HostFuzz fuzz);
  }

  private static HostFuzz guarded(long seed, Body body) {
    HostFuzz fuzz = new HostFuzz(seed);
    try {
      body.run(fuzz);
      return fuzz;
    } catch (RuntimeException | AssertionError e) {
      HostController controller = fuzz.world.controller;
      throw new AssertionError("seed " + seed + ": " + (controller == null ? "" : controller.status() + ": ")
          + e.getMessage(), e);
    }
  }

  private void run(long pdus) {
    HostController controller = world.connect();
    world.sim.runFor(SECOND);
    int sockets = world.hostMachine.openSockets();
    hostile = true;
    loop.run(() -> {
      for (int i = 0; i < WORKERS; i++) {
        workers.add(new Worker());
      }
      workers.forEach(Worker::next);
    });
    while (mutated < pdus) {
      world.sim.runFor(SECOND);
      workers.forEach(Worker::checkAge);
    }
    hostile = false;
    workers.forEach(worker -> worker.stopped = true);
    world.sim.runUntil(() -> workers.stream().allMatch(Worker::idle), PATIENCE_NS);
    // What was said last may still have its effect: give keep-alives and time-outs the time to find out.
    world.sim.runFor(20 * SECOND);
    world.sim.runUntil(() -> controller.status().state() == HostState.LIVE, 120 * SECOND);
    // Namespaces that were told wrongly stay so until the controller is asked again.
    controller.reset("the end of the hostilities");
    world.sim.runFor(SECOND);
    world.sim.runUntil(() -> controller.status().state() == HostState.LIVE, 120 * SECOND);
    byte[] data = world.pattern(20_480);
    BlockChannel after = world.channel();
    world.target.connections.forEach(connection -> connection.lenient = false);
    check(world.await(world.write(after, 8192, data)).status().isOk(), "a write fails when all is well again");
    HostWorld.Io read = world.await(world.read(after, 8192, data.length));
    check(read.status().isOk() && Arrays.equals(read.bytes(), data), "a read is wrong when all is well again");
    world.sim.runFor(10 * SECOND);
    check(world.hostMachine.openSockets() == sockets, "%d sockets are open instead of %d",
        world.hostMachine.openSockets(), sockets);
    world.close();
  }

  private void discover(long pdus) {
    world.target.discovery = true;
    byte[] log = new byte[1024 * 8];
    ByteBuffer.wrap(log).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 5).putLong(8, 7).put(1024, (byte) 3)
        .put(1025, (byte) 1).put(1026, (byte) 2);
    world.target.discoveryLog = log;
    hostile = true;
    while (mutated < pdus) {
      CompletableFuture<List<DiscoveryEntry>> future = DiscoveryClient.read(new HostTcp(), loop, world.options);
      world.sim.runUntil(future::isDone, 600 * SECOND);
      try {
        future.join();
        completed++;
      } catch (CompletionException e) {
        check(e.getCause() instanceof RemoraException, "discovery fails with %s", e);
        failed++;
      }
      world.sim.runFor(10 * SECOND);
      check(world.hostMachine.openSockets() == 0, "sockets are open after discovery");
    }
  }

  private static void check(boolean holds, String what, Object... arguments) {
    if (!holds) {
      throw new AssertionError(what.formatted(arguments));
    }
  }

  /** A channel of the namespace that there is now; null when there is none. */
  private @Nullable BlockChannel channel() {
    List<HostNamespace> all = world.controller().namespaces();
    HostNamespace now = all.isEmpty() ? null : all.getFirst();
    if (now != namespace) {
      if (channel != null) {
        channel.close();
      }
      namespace = now;
      channel = now == null ? null : now.open(loop);
    }
    return channel;
  }

  /** One request after the other. */
  private final class Worker {
    private final MemorySegment memory = Arena.ofAuto().allocate(MAX_BYTES + 2L * GAP, 8);
    private final IoRequest request = new IoRequest(r -> completed());
    private final Timer timer = loop.timer(this::next);
    private long sinceNs;
    boolean stopped;

    Worker() {
      memory.fill(CANARY);
    }

    boolean idle() {
      return !request.pending();
    }

    void checkAge() {
      check(idle() || world.sim.nowNs() - sinceNs < PATIENCE_NS, "%s does not end", request);
    }

    void next() {
      if (stopped) {
        return;
      }
      BlockChannel to = channel();
      if (to == null) {
        timer.arm(50 * MILLI);
        return;
      }
      int block = to.device().blockSize();
      long size = Math.min(to.device().sizeBytes(), 4 << 20);
      int length = block * (1 + random.nextInt(random.nextInt(4) == 0 ? MAX_BYTES / block : 8));
      if (size < length) {
        timer.arm(50 * MILLI);
        return;
      }
      IoRequest.Op op = switch (random.nextInt(8)) {
        case 0, 1, 2 -> IoRequest.Op.READ;
        case 3, 4, 5 -> IoRequest.Op.WRITE;
        case 6 -> IoRequest.Op.DEALLOCATE;
        default -> IoRequest.Op.FLUSH;
      };
      long offset = random.nextLong((size - length) / block + 1) * block;
      request.prepare(op, op == IoRequest.Op.FLUSH ? 0 : offset, op == IoRequest.Op.FLUSH ? 0 : length);
      if (request.hasData()) {
        memory.asSlice(GAP, length).fill((byte) 0x22);
        request.sgl.add(memory, GAP, length);
      }
      sinceNs = world.sim.nowNs();
      to.submit(request);
    }

    private void completed() {
      if (request.status.isOk()) {
        completed++;
      } else {
        failed++;
      }
      long used = request.hasData() ? request.length : 0;
      for (long at = 0; at < memory.byteSize(); at = at + 1 == GAP ? GAP + used : at + 1) {
        if (memory.get(ValueLayout.JAVA_BYTE, at) != CANARY) {
          throw new AssertionError(request + ": memory outside was written at " + at);
        }
        if (at > GAP + used + 4096) {
          break;
        }
      }
      // From here on nobody may touch it.
      memory.asSlice(GAP, used).fill(CANARY);
      timer.arm(random.nextLong(2 * MILLI) + 1);
    }
  }
}
