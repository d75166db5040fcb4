package io.remora.nvme.host;

import io.remora.base.IoRequest;
import io.remora.base.Loop;
import io.remora.base.Status;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.nvme.tcp.HostTcp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A simulated host machine and a target machine with a {@link ScriptedTarget}. */
final class HostWorld {
  static final long SECOND = 1_000_000_000L;
  static final long MILLI = 1_000_000L;

  /** A request with memory of its own, and whether it has ended. */
  static final class Io {
    final IoRequest request;
    final MemorySegment memory;
    boolean done;

    Io(int bytes) {
      memory = Arena.ofAuto().allocate(Math.max(bytes, 1), 8);
      request = new IoRequest(r -> done = true);
    }

    Status status() {
      return request.status;
    }

    byte[] bytes() {
      return memory.asSlice(0, request.length).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  final Simulation sim;
  final SimMachine hostMachine;
  final SimMachine targetMachine;
  final List<SimLoop> hostLoops;
  final SimLoop targetLoop;
  final ScriptedTarget target;
  HostOptions options;
  @Nullable
  HostController controller;

  HostWorld(long seed) {
    this(seed, 1);
  }

  HostWorld(long seed, int loops) {
    sim = new Simulation(seed);
    hostMachine = sim.machine("host");
    targetMachine = sim.machine("target");
    hostLoops = hostMachine.start(loops);
    targetLoop = targetMachine.start(1).getFirst();
    InetSocketAddress address = new InetSocketAddress(targetMachine.address(), 4420);
    target = targetLoop.call(() -> new ScriptedTarget(targetLoop, address));
    options = HostOptions.of(target.address, ScriptedTarget.NQN);
  }

  HostWorld with(UnaryOperator<HostOptions> change) {
    options = change.apply(options);
    return this;
  }

  HostWorld times(UnaryOperator<HostOptions.Times> change) {
    options = options.withTimes(change.apply(options.times()));
    return this;
  }

  CompletableFuture<HostController> begin() {
    return HostController.connect(new HostTcp(), List.<Loop>copyOf(hostLoops), options);
  }

  HostController connect() {
    CompletableFuture<HostController> future = begin();
    sim.runUntil(future::isDone, 60 * SECOND);
    HostController made = future.join();
    controller = made;
    return made;
  }

  HostController controller() {
    HostController made = controller;
    assert made != null;
    return made;
  }

  BlockChannel channel() {
    return channel(0);
  }

  BlockChannel channel(int loop) {
    SimLoop on = hostLoops.get(loop);
    return on.call(() -> controller().namespaces().getFirst().open(on));
  }

  /** Submits without waiting. */
  Io submit(BlockChannel channel, IoRequest.Op op, long offset, int length, Consumer<Io> more) {
    Io io = new Io(length);
    io.request.prepare(op, offset, length);
    if (io.request.hasData()) {
      io.request.sgl.add(io.memory, 0, length);
    }
    more.accept(io);
    ((SimLoop) channel.loop()).run(() -> channel.submit(io.request));
    return io;
  }

  Io write(BlockChannel channel, long offset, byte[] data) {
    return submit(channel, IoRequest.Op.WRITE, offset, data.length,
        io -> io.memory.copyFrom(MemorySegment.ofArray(data)));
  }

  Io read(BlockChannel channel, long offset, int length) {
    return submit(channel, IoRequest.Op.READ, offset, length, io -> {});
  }

  Io plain(BlockChannel channel, IoRequest.Op op, long offset, int length) {
    return submit(channel, op, offset, length, io -> {});
  }

  Io await(Io io) {
    sim.runUntil(() -> io.done, 120 * SECOND);
    return io;
  }

  void awaitState(HostState state) {
    sim.runUntil(() -> controller().status().state() == state, 120 * SECOND);
  }

  /** Closes the controller and sees that nothing is left open. */
  void close() {
    CompletableFuture<Void> done = controller().close();
    sim.runUntil(done::isDone, 60 * SECOND);
    targetLoop.run(target::close);
    sim.runFor(SECOND);
    List<String> open = new ArrayList<>();
    if (hostMachine.openSockets() > 0) {
      open.add(hostMachine.openSockets() + " sockets of the host are open");
    }
    if (!open.isEmpty()) {
      throw new AssertionError(open.toString());
    }
  }

  byte[] pattern(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) sim.random().nextInt();
    }
    return bytes;
  }
}
