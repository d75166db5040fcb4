package io.remora.nvme.tcp;

import io.remora.base.Loop;
import io.remora.base.sim.SimLoop;
import io.remora.base.sim.SimMachine;
import io.remora.base.sim.Simulation;
import io.remora.block.BlockChannel;
import io.remora.block.MemoryDevice;
import io.remora.nvme.host.HostController;
import io.remora.nvme.host.HostOptions;
import io.remora.nvme.target.Subsystem;
import io.remora.nvme.target.Target;
import io.remora.nvme.target.TargetConfig;
import io.remora.nvme.target.TargetListener;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;

/**
 * One episode of fuzzing a target: a simulated machine with a target, one that opens hostile connections until so many mutated PDUs have been
 * sent, and an honest host that may notice nothing. A seed repeats it.
 */
final class TargetFuzz {
  static final String NQN = "nqn.2024-01.test:fuzz";
  private static final String HONEST_NQN = "nqn.2024-01.test:honest";
  private static final long SECOND = 1_000_000_000L;

  final RandomGenerator random;
  final SimLoop hostLoop;
  final InetSocketAddress address;
  final FuzzDevice device;
  final PduMutator mutator;
  final MemorySegment in;
  final MemorySegment out;
  final List<FuzzConnection> admins = new ArrayList<>();
  long mutated;
  long terminated;
  long connections;
  private final Simulation sim;
  private final List<SimLoop> targetLoops;
  private final SimMachine targetMachine;
  private final Target target;
  private final Subsystem subsystem;
  private final Set<Integer> seen = new HashSet<>();
  private final long limit;
  private int live;

  private TargetFuzz(long seed, long limit, Arena arena) {
    this.limit = limit;
    sim = new Simulation(seed);
    random = sim.random();
    sim.net().fragments(random.nextInt(8) == 0);
    targetMachine = sim.machine("target");
    targetLoops = targetMachine.start(1 + random.nextInt(2));
    hostLoop = sim.machine("hostile").start(1).getFirst();
    device = new FuzzDevice(random);
    mutator = new PduMutator(random);
    in = arena.allocate(128 << 10);
    out = arena.allocate(1 << 20);
    target = new Target(TargetConfig.DEFAULT.withQueues(8, 32));
    subsystem = target.addSubsystem(Subsystem.Config.of(NQN));
    subsystem.allowAnyHost(true);
    subsystem.addNamespace(1, device);
    address = new InetSocketAddress(targetMachine.address(), 4420);
  }

  /** Sends {@code pdus} mutated PDUs; throws when anything goes wrong. */
  static TargetFuzz run(long seed, long pdus) {
    try (Arena arena = Arena.ofShared()) {
      TargetFuzz fuzz = new TargetFuzz(seed, pdus, arena);
      fuzz.run();
      return fuzz;
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
    }
  }

  private <T> T await(CompletableFuture<T> future) {
    sim.runUntil(future::isDone, 600 * SECOND);
    return future.join();
  }

  private void run() {
    MemoryDevice memory = new MemoryDevice("honest", new UUID(1, 2), 1 << 20, 512);
    Subsystem honest = target.addSubsystem(Subsystem.Config.of(HONEST_NQN));
    honest.allowAnyHost(true);
    honest.addNamespace(1, memory);
    TargetListener listener = await(TcpTarget.listen(List.<Loop>copyOf(targetLoops), address, target));
    SimLoop honestLoop = sim.machine("honest").start(1).getFirst();
    HostController controller = await(HostController.connect(new HostTcp(), List.of(honestLoop),
        HostOptions.of(address, HONEST_NQN).withQueues(targetLoops.size(), 8)));
    BlockChannel channel = honestLoop.call(() -> controller.namespaces().getFirst().open(honestLoop));
    sim.runFor(SECOND);
    long atFirst = usedBytes();
    HonestLoad load = honestLoop.call(() -> new HonestLoad(honestLoop, channel, random, 3_000_000));

    int together = 1 + random.nextInt(10);
    hostLoop.run(() -> {
      live = together;
      for (int i = 0; i < together; i++) {
        open();
      }
    });
    sim.runUntil(() -> live == 0, 36_000 * SECOND);
    long done = load.done;
    sim.runFor(SECOND);
    require(load.done > done && done > 0, "the honest host stands still");
    load.stop();
    sim.runUntil(load::idle, 10 * SECOND);
    // A connection that is closed lingers up to 3 s; one whose end got lost, and one that has never connected, 10 s.
    sim.runFor(20 * SECOND);
    require(controller.status().losses() == 0, "the honest host was disconnected: " + controller.status());
    require(subsystem.connections().isEmpty(), "controllers are left: " + subsystem.connections());
    require(usedBytes() == atFirst, "memory is left: " + usedBytes() + " bytes instead of " + atFirst);
    honestLoop.run(channel::close);
    await(controller.close());
    listener.close();
    sim.runFor(20 * SECOND);
    await(target.close());
    sim.runFor(SECOND);
    require(targetMachine.openSockets() == 0, "sockets are left");
    require(device.openChannels == 0, "channels are left");
  }

  private long usedBytes() {
    long used = 0;
    for (SimLoop loop : targetLoops) {
      used += loop.call(() -> target.on(loop).pool().usedBytes());
    }
    return used;
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private void open() {
    connections++;
    admins.removeIf(admin -> admin.over);
    boolean io = !admins.isEmpty() && random.nextInt(3) != 0;
    new FuzzConnection(this, io ? admins.get(random.nextInt(admins.size())) : null);
  }

  void ended(FuzzConnection connection) {
    if (mutated < limit) {
      hostLoop.execute(this::open);
    } else {
      live--;
    }
  }

  /** The answer {@code what} has followed {@code mutated}; keeps that when it is the first time. */
  void seen(int what, byte[] by) {
    if (by.length > 0 && seen.add(what)) {
      mutator.interesting(by);
    }
  }

  /** How many different answers were seen. */
  int answersSeen() {
    return seen.size();
  }
}
